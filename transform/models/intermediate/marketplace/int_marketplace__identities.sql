-- One row a buyer's account on a marketplace.
with
orders as (
    select
        orders.source_user_id,
        orders.placed_at as seen_at,
        regions.region_id,
        orders.landed_position
    from {{ ref('stg_marketplace__orders') }} as orders
    {{ join_region('orders', 'ship_to_city') }}
),

seen as (
    select * from orders
    union all
    select
        source_user_id,
        reviewed_at as seen_at,
        cast(null as string) as region_id,
        landed_position
    from {{ ref('stg_marketplace__reviews') }}
),

{{ buyer_identities('marketplace') }}

select * from final
