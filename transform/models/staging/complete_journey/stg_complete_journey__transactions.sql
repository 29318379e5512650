-- One row a product in a basket: the till's line, with money as the middle layer names it.
with
source as (
    select * from {{ source('complete_journey', 'transactions') }}
),

renamed as (
    select
        'complete_journey' as silo,
        cast(basket_id as string) as source_order_id,
        concat('complete_journey:', cast(basket_id as string)) as order_id,
        concat('complete_journey:', cast(basket_id as string), ':', cast(product_id as string)) as order_line_id,
        cast(product_id as string) as source_line_id,
        cast(household_id as string) as source_user_id,
        cast(store_id as string) as source_store_id,
        concat('complete_journey:', cast(store_id as string)) as store_id,
        cast(product_id as string) as source_sku_id,
        concat('complete_journey:', cast(product_id as string)) as sku_id,
        quantity as units,
        -- sales_value is what the retailer received: its own discounts are already taken off, and the maker's coupon,
        -- which it gets back, is not (docs/decisions/0006-complete-journey.md).
        sales_value + retail_disc + coupon_match_disc as list_amount,
        retail_disc + coupon_match_disc as discount_amount,
        coupon_disc as third_party_discount_amount,
        sales_value as gmv_amount,
        sales_value as paid_amount,
        transaction_timestamp as placed_at,
        transaction_timestamp as paid_at,
        week as study_week,
        false as is_gift,
        _first_position as landed_position
    from source
)

select * from renamed
