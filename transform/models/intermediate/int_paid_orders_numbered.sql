-- One row a paid order, numbered in the life of its buyer: 1 is the first paid order ever.
with
orders as (
    select * from {{ ref('int_orders_unioned') }}
),

final as (
    select
        orders.order_id,
        identities.user_id,
        orders.paid_at,
        cast(
            row_number() over (
                partition by identities.user_id
                order by orders.paid_at asc nulls last, orders.order_id asc nulls last
            ) as bigint
        ) as user_order_number
    from orders
    {{ join_user('orders') }}
    where orders.paid_at is not null and identities.user_id is not null
)

select * from final
