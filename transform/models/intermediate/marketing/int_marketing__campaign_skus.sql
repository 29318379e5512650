-- One row a SKU of a campaign; which coupons apply to it, this silo does not tell.
with
campaign_skus as (
    select * from {{ ref('stg_marketing__campaign_skus') }}
),

final as (
    select
        campaign_id,
        sku_id,
        silo,
        source_sku_id,
        planned_units,
        campaign_amount,
        cast(null as bigint) as coupon_count
    from campaign_skus
)

select * from final
