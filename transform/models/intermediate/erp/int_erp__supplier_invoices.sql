-- One row a purchase line of an invoice, with its invoice's supplier and dates.
with
invoice_lines as (
    select * from {{ ref('stg_erp__invoice_lines') }}
),

supplier_invoices as (
    select * from {{ ref('stg_erp__supplier_invoices') }}
),

final as (
    select
        invoice_lines.invoice_line_id,
        invoice_lines.invoice_id,
        invoice_lines.silo,
        supplier_invoices.supplier_id,
        invoice_lines.purchase_line_id,
        invoice_lines.sku_id,
        invoice_lines.invoiced_units,
        invoice_lines.invoiced_amount,
        coalesce(
            supplier_invoices.invoiced_date, {{ business_date('invoice_lines.created_at') }}
        ) as invoiced_date,
        supplier_invoices.due_date
    from invoice_lines
    left join supplier_invoices on invoice_lines.invoice_id = supplier_invoices.invoice_id
)

select * from final
