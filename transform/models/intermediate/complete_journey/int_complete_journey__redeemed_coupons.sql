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
        {{ untold(['scope_kind', 'category_id', 'store_id', 'order_id']) }},
        {{ untold(['issued_at', 'expires_at', 'redeemed_at'], 'timestamp') }},
        cast(null as date) as issued_date,
        redeemed_date,
        true as is_redeemed,
        {{ untold(['discount_amount', 'threshold_amount'], 'decimal(18, 2)') }}
    from coupon_redemptions
)

select * from final
