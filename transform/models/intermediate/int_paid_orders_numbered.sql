-- One row a paid order, numbered in the life of its buyer: 1 is the first paid order ever.
with
orders as (
    select * from {{ ref('int_orders_unioned') }}
),

identities as (
    select * from {{ ref('bridge_user_identities') }}
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
    inner join identities
        on
            orders.silo = identities.silo
            and orders.source_user_id = identities.source_id
    where orders.paid_at is not null
)

select * from final
