-- One row a message posted in a group.
with
source as (
    select * from {{ source('crm', 'group_messages') }}
),

renamed as (
    select
        'crm' as silo,
        'crm:' || message_id as message_id,
        'crm:' || group_id as group_id,
        author_kind,
        author_external_id as source_user_id,
        content_type,
        offer_type,
        posted_at,
        _first_position as landed_position
    from source
)

select * from renamed
