-- One row a buyer: of an order, or of a customer's record whose order has not arrived.
with
orders as (
    select * from {{ ref('stg_olist__orders') }}
),

customers as (
    select * from {{ ref('stg_olist__customers') }}
),

seen as (
    select
        customers.source_user_id,
        orders.placed_at as seen_at,
        customers.region_id,
        customers.landed_position
    from customers
    left join orders on customers.customer_id = orders.customer_id
),

{{ buyer_identities('olist') }}

select * from final
