-- One row a version of a WeCom contact, its deletion included: from when to when it held.
with
source as (
    select * from {{ source('crm', 'contacts') }}
),

renamed as (
    select
        'crm' as silo,
        external_id as source_user_id,
        unionid,
        phone,
        phone_partial,
        name as contact_name,
        owner,
        source_channel,
        added_at,
        is_deleted,
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
