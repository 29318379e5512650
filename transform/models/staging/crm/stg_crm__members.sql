-- One row a version of a member card: from when to when it held.
with
source as (
    select * from {{ source('crm', 'members') }}
),

renamed as (
    select
        'crm' as silo,
        card_no as source_user_id,
        'crm:' || card_no as card_id,
        external_id as source_contact_id,
        unionid,
        phone,
        phone_partial,
        name as member_name,
        joined_at,
        level as member_level,
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
