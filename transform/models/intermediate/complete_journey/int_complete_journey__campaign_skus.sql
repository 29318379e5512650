-- One row a SKU that at least one coupon of a campaign discounts.
with
coupons as (
    select * from {{ ref('stg_complete_journey__coupons') }}
),

final as (
    select
        campaign_id,
        sku_id,
        silo,
        source_sku_id,
        cast(null as bigint) as planned_units,
        cast(null as decimal(18, 2)) as campaign_amount,
        count(*) as coupon_count
    from coupons
    group by campaign_id, sku_id, silo, source_sku_id
)

select * from final
