-- One row a message posted in a group, with what the group is about.
with
messages as (
    select * from {{ ref('stg_crm__group_messages') }}
),

groups as (
    select * from {{ ref('stg_crm__groups') }}
),

final as (
    select
        messages.message_id as activity_id,
        messages.silo,
        messages.source_user_id,
        messages.group_id,
        groups.category_id as group_category,
        groups.group_type,
        messages.author_kind,
        messages.content_type,
        messages.offer_type,
        messages.posted_at
    from messages
    left join groups on messages.group_id = groups.group_id
)

select * from final
