-- One row an order as it is now.
with
source as (
    select * from {{ source('storefront', 'orders') }}
),

renamed as (
    select
        'storefront' as silo,
        order_id as source_order_id,
        'storefront:' || order_id as order_id,
        user_id as source_user_id,
        placed_at,
        paid_at,
        status as source_status,
        order_type,
        channel,
        'storefront:' || session_id as session_id,
        'marketing:' || campaign_id as campaign_id,
        'storefront:' || coupon_id as coupon_id,
        'stores:' || pickup_store_id as store_id,
        ship_to_province,
        ship_to_city,
        shipping_amount,
        updated_at,
        _first_position as landed_position
    from source
)

select * from renamed
