-- One row a member benefit that was used.
with
source as (
    select * from {{ source('storefront', 'benefits_used') }}
),

renamed as (
    select
        'storefront' as silo,
        'storefront:' || benefit_use_id as benefit_use_id,
        user_id as source_user_id,
        benefit,
        'storefront:' || order_id as order_id,
        value_amount,
        used_at
    from source
)

select * from renamed
