-- One row a campaign as it is now.
with
source as (
    select * from {{ source('marketing', 'campaigns') }}
),

renamed as (
    select
        'marketing' as silo,
        campaign_id as source_campaign_id,
        'marketing:' || campaign_id as campaign_id,
        campaign_name,
        mechanics,
        campaign_type,
        budget_amount,
        threshold_amount,
        benefit_amount,
        start_date,
        end_date,
        updated_at
    from source
)

select * from renamed
