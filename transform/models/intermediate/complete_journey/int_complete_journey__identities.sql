-- One row a household: known from its baskets, its answers, its campaigns or its coupons.
with
transactions as (
    select * from {{ ref('stg_complete_journey__transactions') }}
),

demographics as (
    select * from {{ ref('stg_complete_journey__demographics') }}
),

campaigns as (
    select * from {{ ref('stg_complete_journey__campaigns') }}
),

coupon_redemptions as (
    select * from {{ ref('stg_complete_journey__coupon_redemptions') }}
),

seen as (
    select
        source_user_id,
        min(placed_at) as first_seen_at,
        min(landed_position) as landed_position
    from transactions
    group by source_user_id
    union all
    select
        source_user_id,
        cast(null as timestamp) as first_seen_at,
        landed_position
    from demographics
    union all
    select
        source_user_id,
        cast(null as timestamp) as first_seen_at,
        landed_position
    from campaigns
    union all
    select
        source_user_id,
        min({{ date_begin('redeemed_date') }}) as first_seen_at,
        min(landed_position) as landed_position
    from coupon_redemptions
    group by source_user_id
),

households as (
    select
        source_user_id,
        min(first_seen_at) as first_seen_at,
        min(landed_position) as landed_position
    from seen
    group by source_user_id
),

final as (
    select
        'complete_journey' as silo,
        households.source_user_id as source_id,
        'household' as identity_kind,
        households.landed_position,
        households.first_seen_at,
        {{ untold(['registered_at', 'member_joined_at'], 'timestamp') }},
        {{ untold(['birth_year'], 'integer') }},
        {{ untold(['registration_channel', 'source_referrer_id', 'region_id', 'gender', 'member_level']) }},
        demographics.age_band,
        demographics.income_band,
        demographics.home_ownership,
        demographics.marital_status,
        demographics.household_size,
        demographics.household_composition,
        demographics.kids_count
    from households
    left join demographics on households.source_user_id = demographics.source_user_id
)

select * from final
