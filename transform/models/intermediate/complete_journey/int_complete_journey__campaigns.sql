-- One row a campaign: all of them send coupons.
with
campaign_descriptions as (
    select * from {{ ref('stg_complete_journey__campaign_descriptions') }}
),

campaigns as (
    select * from {{ ref('stg_complete_journey__campaigns') }}
),

reached as (
    select
        campaign_id,
        count(distinct source_user_id) as reached_users
    from campaigns
    group by campaign_id
),

final as (
    select
        campaign_descriptions.campaign_id,
        campaign_descriptions.silo,
        campaign_descriptions.source_campaign_id,
        concat('Campaign ', campaign_descriptions.source_campaign_id) as campaign_name,
        'coupon' as mechanics,
        campaign_descriptions.campaign_type,
        cast(null as decimal(18, 2)) as budget_amount,
        campaign_descriptions.start_date,
        campaign_descriptions.end_date,
        coalesce(reached.reached_users, 0) as reached_users
    from campaign_descriptions
    left join reached on campaign_descriptions.campaign_id = reached.campaign_id
)

select * from final
