-- One row an order of live commerce, in the words of the middle layer.
with
orders as (
    select * from {{ ref('stg_live__orders') }}
),

final as (
    select
        orders.order_id,
        orders.silo,
        orders.source_order_id,
        orders.source_user_id,
        'douyin' as channel,
        cast(null as string) as store_id,
        cast(null as string) as campaign_id,
        cast(null as string) as session_id,
        orders.live_session_id,
        'normal' as order_type,
        case orders.source_status
            when 'created' then 'placed'
            when 'paid' then 'paid'
            when 'shipped' then 'shipped'
            when 'finished' then 'completed'
            when 'closed' then 'cancelled'
        end as order_status,
        regions.region_id as ship_to_region_id,
        orders.placed_at,
        orders.paid_at,
        orders.shipping_amount
    from orders
    {{ join_region('orders', 'ship_to_city') }}
)

select * from final
