-- One row a household that received a campaign.
with
source as (
    select * from {{ source('complete_journey', 'campaigns') }}
),

renamed as (
    select
        'complete_journey' as silo,
        concat('complete_journey:', cast(campaign_id as string)) as campaign_id,
        cast(household_id as string) as source_user_id,
        _first_position as landed_position
    from source
)

select * from renamed
