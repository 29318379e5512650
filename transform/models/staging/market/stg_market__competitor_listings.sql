-- One row a competitor's listing and day.
with
source as (
    select * from {{ source('market', 'competitor_listings') }}
),

renamed as (
    select
        'market' as silo,
        listing_id as source_listing_id,
        'market:' || listing_id as listing_id,
        listed_date,
        'erp:' || sku_id as sku_id,
        'market:' || candidate_id as candidate_id,
        platform,
        competitor,
        match_score,
        price_amount,
        units_sold
    from source
)

select * from renamed
