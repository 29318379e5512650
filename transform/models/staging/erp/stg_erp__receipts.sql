-- One row a receipt of a purchase line.
with
source as (
    select * from {{ source('erp', 'receipts') }}
),

renamed as (
    select
        'erp' as silo,
        receipt_id as source_receipt_id,
        'erp:' || receipt_id as receipt_id,
        'erp:' || purchase_line_id as purchase_line_id,
        'erp:' || warehouse_id as warehouse_id,
        'erp:' || sku_id as sku_id,
        received_units,
        accepted_units,
        rejected_units,
        received_at
    from source
)

select * from renamed
