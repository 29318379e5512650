-- One row a buyer and what a mask leaves of a phone on the buyer's orders.
with
orders as (
    select * from {{ ref('stg_marketplace__orders') }}
),

final as (
    select distinct
        silo,
        source_user_id as source_id,
        phone_partial as phone_pattern,
        phone
    from orders
    where source_user_id is not null and phone_partial is not null
)

select * from final
