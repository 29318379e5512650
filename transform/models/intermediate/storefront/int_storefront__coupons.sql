-- One row a coupon in an account, with the business dates of its life.
with
coupons as (
    select * from {{ ref('stg_storefront__coupons') }}
),

final as (
    select
        coupon_id,
        silo,
        source_coupon_id,
        source_user_id,
        campaign_id,
        channel,
        scope_kind,
        category_id,
        store_id,
        order_id,
        discount_amount,
        threshold_amount,
        issued_at,
        expires_at,
        redeemed_at,
        {{ business_date('issued_at') }} as issued_date,
        {{ business_date('redeemed_at') }} as redeemed_date,
        redeemed_at is not null as is_redeemed
    from coupons
)

select * from final
