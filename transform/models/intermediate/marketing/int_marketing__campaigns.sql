-- One row a campaign, with the persons that messages about it were sent to.
with
campaigns as (
    select * from {{ ref('stg_marketing__campaigns') }}
),

touches as (
    select * from {{ ref('fct_user_touches') }}
),

reached as (
    select
        campaign_id,
        count(distinct user_id) as reached_users
    from touches
    where campaign_id is not null
    group by campaign_id
),

final as (
    select
        campaigns.campaign_id,
        campaigns.silo,
        campaigns.source_campaign_id,
        campaigns.campaign_name,
        campaigns.mechanics,
        campaigns.campaign_type,
        campaigns.budget_amount,
        campaigns.start_date,
        campaigns.end_date,
        coalesce(reached.reached_users, 0) as reached_users
    from campaigns
    left join reached on campaigns.campaign_id = reached.campaign_id
)

select * from final
