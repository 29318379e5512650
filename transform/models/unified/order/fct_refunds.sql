-- One row a refund of a line; buyer, SKU and channel are its order's and its line's.
with
refunds as (
    {{ unify(
        ['stg_storefront__refunds', 'stg_marketplace__refunds', 'stg_live__refunds'],
        computed=['user_id', 'sku_id', 'channel', 'channel_group', 'refunded_date'],
    ) | indent(4) }}
),

orders as (
    select * from {{ ref('int_orders_unioned') }}
),

lines as (
    select * from {{ ref('int_order_lines_unioned') }}
),

final as (
    select
        refunds.*,
        identities.user_id,
        lines.sku_id,
        orders.channel,
        channels.channel_group,
        {{ business_date('refunds.refunded_at') }} as refunded_date
    from refunds
    left join orders on refunds.order_id = orders.order_id
    left join lines on refunds.order_line_id = lines.order_line_id
    {{ join_user('orders') }}
    {{ join_channel('orders') }}
)

select * from final
