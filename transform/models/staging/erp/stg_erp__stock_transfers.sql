-- One row a transfer between warehouses as it is now.
with
source as (
    select * from {{ source('erp', 'stock_transfers') }}
),

renamed as (
    select
        'erp' as silo,
        transfer_id as source_transfer_id,
        'erp:' || transfer_id as transfer_id,
        'erp:' || from_warehouse_id as from_warehouse_id,
        'erp:' || to_warehouse_id as to_warehouse_id,
        'erp:' || sku_id as sku_id,
        units,
        shipped_at,
        received_at,
        cost_amount,
        updated_at
    from source
)

select * from renamed
