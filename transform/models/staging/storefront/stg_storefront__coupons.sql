-- One row a coupon in an account as it is now.
with
source as (
    select * from {{ source('storefront', 'coupons') }}
),

renamed as (
    select
        'storefront' as silo,
        coupon_id as source_coupon_id,
        'storefront:' || coupon_id as coupon_id,
        user_id as source_user_id,
        'marketing:' || campaign_id as campaign_id,
        issue_channel as channel,
        scope_kind,
        case when scope_kind = 'category' then 'erp:' || scope_id end as category_id,
        case when scope_kind = 'store' then 'stores:' || scope_id end as store_id,
        discount_amount,
        threshold_amount,
        issued_at,
        expires_at,
        redeemed_at,
        'storefront:' || redeemed_order_id as order_id,
        updated_at,
        _first_position as landed_position
    from source
)

select * from renamed
