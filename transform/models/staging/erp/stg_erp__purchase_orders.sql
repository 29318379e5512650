-- One row a purchase order as it is now.
with
source as (
    select * from {{ source('erp', 'purchase_orders') }}
),

renamed as (
    select
        'erp' as silo,
        purchase_order_id as source_purchase_order_id,
        'erp:' || purchase_order_id as purchase_order_id,
        'erp:' || supplier_id as supplier_id,
        'erp:' || warehouse_id as warehouse_id,
        supply_mode,
        status as purchase_status,
        triggered_at,
        created_at,
        confirmed_at,
        updated_at
    from source
)

select * from renamed
