-- One row a coupon redeemed; this retailer tells neither which coupons were issued to whom nor in which basket.
with
coupon_redemptions as (
    select * from {{ ref('stg_complete_journey__coupon_redemptions') }}
),

final as (
    select
        coupon_id,
        silo,
        source_coupon_id,
        source_user_id,
        campaign_id,
        'store' as channel,
        cast(null as string) as store_id,
        cast(null as string) as order_id,
        cast(null as timestamp) as issued_at,
        cast(null as timestamp) as redeemed_at,
        cast(null as date) as issued_date,
        redeemed_date,
        true as is_redeemed,
        cast(null as decimal(18, 2)) as discount_amount
    from coupon_redemptions
)

select * from final
