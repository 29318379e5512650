-- One row a product that a coupon of a campaign discounts.
with
source as (
    select * from {{ source('complete_journey', 'coupons') }}
),

renamed as (
    select
        'complete_journey' as silo,
        cast(coupon_upc as string) as source_coupon_id,
        cast(product_id as string) as source_sku_id,
        concat('complete_journey:', cast(product_id as string)) as sku_id,
        concat('complete_journey:', cast(campaign_id as string)) as campaign_id
    from source
)

select * from renamed
