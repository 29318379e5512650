-- One row a coupon redeemed by a household on a day.
with
source as (
    select * from {{ source('complete_journey', 'coupon_redemptions') }}
),

renamed as (
    select
        'complete_journey' as silo,
        concat(
            'complete_journey:', cast(campaign_id as string), ':', cast(coupon_upc as string), ':',
            cast(household_id as string), ':', cast(redemption_date as string)
        ) as coupon_id,
        cast(coupon_upc as string) as source_coupon_id,
        concat('complete_journey:', cast(campaign_id as string)) as campaign_id,
        cast(household_id as string) as source_user_id,
        redemption_date as redeemed_date,
        _first_position as landed_position
    from source
)

select * from renamed
