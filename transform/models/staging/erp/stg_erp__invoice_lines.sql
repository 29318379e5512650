-- One row a purchase line of an invoice.
with
source as (
    select * from {{ source('erp', 'invoice_lines') }}
),

renamed as (
    select
        'erp' as silo,
        invoice_line_id as source_invoice_line_id,
        'erp:' || invoice_line_id as invoice_line_id,
        'erp:' || invoice_id as invoice_id,
        'erp:' || purchase_line_id as purchase_line_id,
        'erp:' || sku_id as sku_id,
        invoiced_units,
        invoiced_amount,
        created_at
    from source
)

select * from renamed
