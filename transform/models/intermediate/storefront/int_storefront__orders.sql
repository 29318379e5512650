-- One row an order of the own shop, in the words of the middle layer.
with
orders as (
    select * from {{ ref('stg_storefront__orders') }}
),

final as (
    select
        orders.order_id,
        orders.silo,
        orders.source_order_id,
        orders.source_user_id,
        orders.channel,
        orders.store_id,
        orders.campaign_id,
        orders.session_id,
        cast(null as string) as live_session_id,
        orders.order_type,
        case orders.source_status when 'created' then 'placed' else orders.source_status end as order_status,
        regions.region_id as ship_to_region_id,
        orders.placed_at,
        orders.paid_at,
        orders.shipping_amount
    from orders
    {{ join_region('orders', 'ship_to_city') }}
)

select * from final
