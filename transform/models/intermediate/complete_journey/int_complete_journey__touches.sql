-- One row a household that was sent a campaign; the mailing is taken to arrive on the campaign's first day.
with
campaigns as (
    select * from {{ ref('stg_complete_journey__campaigns') }}
),

campaign_descriptions as (
    select * from {{ ref('stg_complete_journey__campaign_descriptions') }}
),

final as (
    select
        concat(campaigns.campaign_id, ':', campaigns.source_user_id) as touch_id,
        campaigns.silo,
        campaigns.source_user_id,
        'mail' as channel,
        campaigns.campaign_id,
        {{ untold(['message_id', 'group_id', 'group_category', 'group_type', 'content_type']) }},
        'coupon' as offer_type,
        {{ date_begin('campaign_descriptions.start_date') }} as sent_at,
        campaign_descriptions.start_date as sent_date,
        {{ untold(['delivered_at', 'opened_at', 'clicked_at'], 'timestamp') }}
    from campaigns
    inner join campaign_descriptions on campaigns.campaign_id = campaign_descriptions.campaign_id
)

select * from final
