-- One row a store of any silo, with the days of what was sold in it or ordered to be picked up there.
with
stores as (
    {{ unify(
        ['int_complete_journey__stores', 'int_stores__stores'],
        computed=['first_order_date', 'last_order_date'],
    ) | indent(4) }}
),

orders as (
    select
        store_id,
        min(placed_date) as first_order_date,
        max(placed_date) as last_order_date
    from {{ ref('fct_orders') }}
    where store_id is not null
    group by store_id
),

final as (
    select
        stores.*,
        orders.first_order_date,
        orders.last_order_date
    from stores
    left join orders on stores.store_id = orders.store_id
)

select * from final
