-- One row a phone that an export did not mask.
with
orders as (
    select * from {{ ref('stg_live__orders') }}
),

final as (
    select
        silo,
        source_user_id as source_id,
        'phone' as evidence,
        phone as evidence_token,
        landed_position
    from orders
    where phone is not null
)

select * from final
