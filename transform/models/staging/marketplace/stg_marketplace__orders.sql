-- One row an order as it is now.
with
source as (
    select * from {{ source('marketplace', 'orders') }}
),

renamed as (
    select
        'marketplace' as silo,
        order_id as source_order_id,
        'marketplace:' || order_id as order_id,
        platform,
        buyer_id as source_user_id,
        phone_masked as phone,
        phone_masked_partial as phone_partial,
        ship_to_province,
        ship_to_city,
        placed_at,
        paid_at,
        status as source_status,
        shipping_amount,
        updated_at,
        _first_position as landed_position
    from source
)

select * from renamed
