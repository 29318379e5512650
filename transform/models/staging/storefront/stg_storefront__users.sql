-- One row an account as it is now.
with
source as (
    select * from {{ source('storefront', 'users') }}
),

renamed as (
    select
        'storefront' as silo,
        user_id as source_user_id,
        phone,
        phone_partial,
        email,
        unionid,
        registered_at,
        registration_channel,
        referrer_user_id as source_referrer_id,
        province,
        city,
        gender,
        birth_year,
        updated_at
    from source
)

select * from renamed
