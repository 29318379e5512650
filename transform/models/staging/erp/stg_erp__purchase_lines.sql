-- One row a SKU of a purchase order.
with
source as (
    select * from {{ source('erp', 'purchase_lines') }}
),

renamed as (
    select
        'erp' as silo,
        purchase_line_id as source_purchase_line_id,
        'erp:' || purchase_line_id as purchase_line_id,
        'erp:' || purchase_order_id as purchase_order_id,
        'erp:' || sku_id as sku_id,
        ordered_units,
        unit_amount,
        promised_date,
        created_at
    from source
)

select * from renamed
