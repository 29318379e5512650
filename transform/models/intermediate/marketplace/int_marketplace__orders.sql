-- One row an order of Tmall or JD, in the words of the middle layer.
with
orders as (
    select * from {{ ref('stg_marketplace__orders') }}
),

final as (
    select
        orders.order_id,
        orders.silo,
        orders.source_order_id,
        orders.source_user_id,
        case orders.platform when '天猫' then 'tmall' when '京东' then 'jd' end as channel,
        cast(null as string) as store_id,
        cast(null as string) as campaign_id,
        cast(null as string) as session_id,
        cast(null as string) as live_session_id,
        'normal' as order_type,
        case orders.source_status
            when '待付款' then 'placed'
            when '待发货' then 'paid'
            when '已发货' then 'shipped'
            when '交易成功' then 'completed'
            when '交易关闭' then 'cancelled'
        end as order_status,
        regions.region_id as ship_to_region_id,
        orders.placed_at,
        orders.paid_at,
        orders.shipping_amount
    from orders
    {{ join_region('orders', 'ship_to_city') }}
)

select * from final
