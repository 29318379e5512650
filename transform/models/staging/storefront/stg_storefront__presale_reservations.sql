-- One row a reservation of a SKU before its sale.
with
source as (
    select * from {{ source('storefront', 'presale_reservations') }}
),

renamed as (
    select
        'storefront' as silo,
        'storefront:' || reservation_id as reservation_id,
        user_id as source_user_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        units,
        deposit_amount,
        channel,
        reserved_at,
        _first_position as landed_position
    from source
)

select * from renamed
