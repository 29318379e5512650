-- One row a refund of a line; buyer, SKU, channel and what its units cost are its order's and its line's.
with
refunds as (
    {{ unify(
        ['stg_storefront__refunds', 'stg_marketplace__refunds', 'stg_live__refunds'],
        computed=['user_id', 'sku_id', 'channel', 'channel_group', 'cost_amount', 'refunded_date'],
    ) | indent(4) }}
),

orders as (
    select * from {{ ref('int_orders_unioned') }}
),

lines as (
    select * from {{ ref('int_order_lines_unioned') }}
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

final as (
    select
        refunds.*,
        identities.user_id,
        lines.sku_id,
        orders.channel,
        channels.channel_group,
        -- What never was a cost is none that comes back: of a line that is not there, or was not paid.
        cast(
            case
                when coalesce(refunds.refund_units, 0) = 0 then 0
                when lines.order_line_id is null or orders.paid_at is null then 0
                else products.cost_amount * refunds.refund_units
            end as decimal(18, 2)
        ) as cost_amount,
        {{ business_date('refunds.refunded_at') }} as refunded_date
    from refunds
    left join orders on refunds.order_id = orders.order_id
    left join lines on refunds.order_line_id = lines.order_line_id
    {{ join_user('orders') }}
    {{ join_channel('orders') }}
    left join products
        on
            lines.sku_id = products.sku_id
            and products.valid_from <= orders.placed_at
            and products.valid_to > orders.placed_at
)

select * from final
