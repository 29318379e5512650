-- One row a SKU on the shelves of a store and day of a picture.
with
source as (
    select * from {{ source('stores', 'store_stock') }}
),

renamed as (
    select
        'stores' as silo,
        stock_date,
        'stores:' || store_id as store_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        on_hand_units
    from source
)

select * from renamed
