-- One row a version of an account: from when to when it held.
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
        updated_at,
        _first_position as landed_position
    from source
),

versioned as (
    select
        *,
        {{ version_columns('source_user_id') }}
    from renamed
)

select * from versioned
