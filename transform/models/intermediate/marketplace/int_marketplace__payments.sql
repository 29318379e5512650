-- One row a paid order: the marketplace settles it in one payment and does not tell how the buyer paid.
with
orders as (
    select * from {{ ref('int_marketplace__orders') }}
),

lines as (
    select
        order_id,
        sum(paid_amount) as paid_amount
    from {{ ref('stg_marketplace__order_lines') }}
    group by order_id
),

final as (
    select
        orders.order_id as payment_id,
        orders.order_id,
        orders.silo,
        orders.source_order_id,
        cast(null as string) as payment_method,
        'full' as payment_kind,
        coalesce(lines.paid_amount, 0) + orders.shipping_amount as paid_amount,
        orders.paid_at
    from orders
    left join lines on orders.order_id = lines.order_id
    where orders.paid_at is not null
)

select * from final
