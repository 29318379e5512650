-- One row a SKU of a campaign.
with
source as (
    select * from {{ source('marketing', 'campaign_skus') }}
),

renamed as (
    select
        'marketing' as silo,
        'marketing:' || campaign_id as campaign_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        planned_units,
        campaign_price_amount as campaign_amount,
        updated_at
    from source
)

select * from renamed
