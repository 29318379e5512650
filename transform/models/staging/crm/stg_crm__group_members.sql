-- One row a contact in a group as it is now.
with
source as (
    select * from {{ source('crm', 'group_members') }}
),

renamed as (
    select
        'crm' as silo,
        'crm:' || group_id as group_id,
        external_id as source_user_id,
        joined_at,
        left_at,
        updated_at,
        _first_position as landed_position
    from source
)

select * from renamed
