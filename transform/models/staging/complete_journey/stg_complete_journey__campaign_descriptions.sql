-- One row a campaign.
with
source as (
    select * from {{ source('complete_journey', 'campaign_descriptions') }}
),

renamed as (
    select
        'complete_journey' as silo,
        cast(campaign_id as string) as source_campaign_id,
        concat('complete_journey:', cast(campaign_id as string)) as campaign_id,
        campaign_type,
        start_date,
        end_date
    from source
)

select * from renamed
