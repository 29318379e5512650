-- One row a message to one person; an SMS names only a phone.
with
touches as (
    select * from {{ ref('stg_crm__touches') }}
),

groups as (
    select * from {{ ref('stg_crm__groups') }}
),

final as (
    select
        touches.touch_id,
        touches.silo,
        coalesce(touches.source_contact_id, touches.phone) as source_user_id,
        touches.channel,
        touches.campaign_id,
        touches.message_id,
        touches.group_id,
        groups.category_id as group_category,
        groups.group_type,
        touches.offer_type,
        touches.content_type,
        touches.sent_at,
        {{ business_date('touches.sent_at') }} as sent_date,
        touches.delivered_at,
        touches.opened_at,
        touches.clicked_at
    from touches
    left join groups on touches.group_id = groups.group_id
)

select * from final
