-- One row a buyer's account on the live platform.
with
seen as (
    select
        orders.source_user_id,
        orders.placed_at as seen_at,
        regions.region_id,
        orders.landed_position
    from {{ ref('stg_live__orders') }} as orders
    {{ join_region('orders', 'ship_to_city') }}
),

{{ buyer_identities('live') }}

select * from final
