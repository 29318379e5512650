-- One row a store in which something was sold, or ordered to be picked up there, with its first and latest day.
with
orders as (
    select * from {{ ref('int_orders_unioned') }}
),

final as (
    select
        store_id,
        min({{ business_date('placed_at') }}) as first_order_date,
        max({{ business_date('placed_at') }}) as last_order_date
    from orders
    where store_id is not null
    group by store_id
)

select * from final
