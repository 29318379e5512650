-- One row a SKU in a warehouse at the end of a day.
with
source as (
    select * from {{ source('erp', 'inventory') }}
),

renamed as (
    select
        'erp' as silo,
        'erp:' || warehouse_id as warehouse_id,
        'erp:' || sku_id as sku_id,
        snapshot_date as stock_date,
        on_hand_units,
        locked_units,
        in_transit_units
    from source
)

select * from renamed
