-- One row a SKU of an order: the line's money with its order's who, where and when.
with
lines as (
    select * from {{ ref('int_order_lines_unioned') }}
),

orders as (
    select * from {{ ref('int_orders_unioned') }}
),

-- Open ends become moments, because an engine cannot hash-join on "or is null".
products as (
    select
        sku_id,
        cost_amount,
        coalesce(valid_from, cast('0001-01-01' as timestamp)) as valid_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from {{ ref('dim_products') }}
),

refunds as (
    select
        order_line_id,
        sum(refund_amount) as refund_amount,
        sum(refund_units) as refund_units
    from {{ changed_rows(ref('fct_refunds')) }}
    group by order_line_id
),

joined as (
    select
        lines.order_line_id,
        lines.order_id,
        orders.silo,
        orders.source_order_id,
        lines.source_line_id,
        identities.user_id,
        orders.source_user_id,
        lines.sku_id,
        lines.source_sku_id,
        orders.channel,
        channels.channel_group,
        orders.store_id,
        orders.campaign_id,
        orders.session_id,
        orders.live_session_id,
        orders.placed_at,
        {{ business_date('orders.placed_at') }} as placed_date,
        orders.paid_at,
        {{ business_date('orders.paid_at') }} as paid_date,
        orders.paid_at is not null as is_paid,
        lines.is_gift,
        lines.units,
        lines.list_amount,
        lines.discount_amount,
        lines.third_party_discount_amount,
        lines.gmv_amount,
        cast(case when orders.paid_at is null then 0 else lines.paid_amount end as decimal(18, 2)) as paid_amount,
        cast(coalesce(refunds.refund_amount, 0) as decimal(18, 2)) as refund_amount,
        cast(products.cost_amount * lines.units as decimal(18, 2)) as ordered_cost_amount,
        -- Of an order that nobody paid, nobody keeps a unit.
        cast(
            case
                when orders.paid_at is null then 0
                else products.cost_amount * (lines.units - coalesce(refunds.refund_units, 0))
            end as decimal(18, 2)
        ) as cost_amount
    from lines
    inner join orders on lines.order_id = orders.order_id
    {{ join_user('orders') }}
    {{ join_channel('orders') }}
    left join products
        on
            lines.sku_id = products.sku_id
            and products.valid_from <= orders.placed_at
            and products.valid_to > orders.placed_at
    left join refunds on lines.order_line_id = refunds.order_line_id
),

final as (
    select
        *,
        cast(paid_amount - refund_amount as decimal(18, 2)) as net_revenue_amount
    from joined
)

select * from final
order by placed_date asc nulls last
