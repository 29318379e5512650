-- One row a receipt, with the supplier of its purchase line.
with
receipts as (
    select * from {{ ref('stg_erp__receipts') }}
),

purchase_lines as (
    select * from {{ ref('int_erp__purchase_lines') }}
),

final as (
    select
        receipts.receipt_id,
        receipts.purchase_line_id,
        receipts.silo,
        purchase_lines.supplier_id,
        receipts.sku_id,
        receipts.warehouse_id,
        receipts.received_units,
        receipts.accepted_units,
        receipts.rejected_units,
        receipts.received_at,
        {{ business_date('receipts.received_at') }} as received_date
    from receipts
    left join purchase_lines on receipts.purchase_line_id = purchase_lines.purchase_line_id
)

select * from final
