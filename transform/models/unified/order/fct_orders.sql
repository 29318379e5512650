-- One row an order; its amounts are the sums of its lines, so that the two never disagree.
with
orders as (
    select * from {{ ref('int_orders_unioned') }}
),

lines as (
    select
        order_id,
        count(*) as line_count,
        sum(units) as units,
        sum(list_amount) as list_amount,
        sum(discount_amount) as discount_amount,
        sum(third_party_discount_amount) as third_party_discount_amount,
        sum(gmv_amount) as gmv_amount,
        sum(paid_amount) as paid_amount,
        sum(refund_amount) as refund_amount
    from {{ changed_rows(ref('fct_order_lines')) }}
    group by order_id
),

numbered as (
    select * from {{ ref('int_paid_orders_numbered') }}
),

pickups as (
    select * from {{ ref('int_order_pickups_unioned') }}
),

-- Open ends become moments, because an engine cannot hash-join on "or is null".
levels as (
    select
        user_id,
        member_level,
        valid_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from {{ ref('dim_member_levels') }}
),

levels_when_placed as (
    select
        orders.order_id,
        max(levels.member_level) as member_level
    from orders
    {{ join_user('orders') }}
    inner join levels
        on
            identities.user_id = levels.user_id
            and levels.valid_from <= orders.placed_at
            and levels.valid_to > orders.placed_at
    group by orders.order_id
),

joined as (
    select
        orders.order_id,
        orders.silo,
        orders.source_order_id,
        identities.user_id,
        orders.source_user_id,
        levels_when_placed.member_level,
        orders.channel,
        channels.channel_group,
        orders.store_id,
        orders.campaign_id,
        orders.session_id,
        orders.live_session_id,
        orders.order_type,
        orders.order_status,
        orders.ship_to_region_id,
        orders.placed_at,
        {{ business_date('orders.placed_at') }} as placed_date,
        orders.paid_at,
        {{ business_date('orders.paid_at') }} as paid_date,
        orders.paid_at is not null as is_paid,
        pickups.pickup_arrived_at,
        pickups.pickup_collected_at,
        cast(coalesce(lines.line_count, 0) as bigint) as line_count,
        cast(coalesce(lines.units, 0) as bigint) as units,
        cast(coalesce(lines.list_amount, 0) as decimal(18, 2)) as list_amount,
        cast(coalesce(lines.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(lines.third_party_discount_amount, 0) as decimal(18, 2)) as third_party_discount_amount,
        cast(coalesce(lines.gmv_amount, 0) + coalesce(orders.shipping_amount, 0) as decimal(18, 2)) as gmv_amount,
        cast(orders.shipping_amount as decimal(18, 2)) as shipping_amount,
        cast(
            case
                when orders.paid_at is null then 0
                else coalesce(lines.paid_amount, 0) + coalesce(orders.shipping_amount, 0)
            end as decimal(18, 2)
        ) as paid_amount,
        cast(coalesce(lines.refund_amount, 0) as decimal(18, 2)) as refund_amount,
        numbered.user_order_number
    from orders
    left join lines on orders.order_id = lines.order_id
    {{ join_user('orders') }}
    {{ join_channel('orders') }}
    left join numbered on orders.order_id = numbered.order_id
    left join pickups on orders.order_id = pickups.order_id
    left join levels_when_placed on orders.order_id = levels_when_placed.order_id
),

final as (
    select
        *,
        cast(paid_amount - refund_amount as decimal(18, 2)) as net_revenue_amount
    from joined
)

select * from final
order by placed_date asc nulls last
