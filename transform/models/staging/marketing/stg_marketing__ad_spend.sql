-- One row a day, channel and campaign, as the platform last stated it.
with
source as (
    select * from {{ source('marketing', 'ad_spend') }}
),

renamed as (
    select
        'marketing' as silo,
        'marketing:' || cast(spend_date as string) || ':' || channel || ':' || campaign_id as spend_id,
        spend_date,
        channel,
        'marketing:' || campaign_id as campaign_id,
        impressions,
        clicks,
        cost_amount as ad_spend_amount,
        reported_at
    from source
)

select * from renamed
