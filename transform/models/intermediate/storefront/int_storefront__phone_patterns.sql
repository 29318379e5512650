-- One row an account and what a mask would leave of a phone that it shows.
with
users as (
    select * from {{ ref('stg_storefront__users') }}
),

final as (
    select distinct
        silo,
        source_user_id as source_id,
        phone_partial as phone_pattern,
        phone
    from users
    where phone_partial is not null
)

select * from final
