-- One row a visit at which a coupon or a member card was shown.
with
source as (
    select * from {{ source('stores', 'visits') }}
),

renamed as (
    select
        'stores' as silo,
        'stores:' || visit_id as visit_id,
        'stores:' || store_id as store_id,
        card_no as source_user_id,
        'storefront:' || coupon_id as coupon_id,
        visited_at,
        _first_position as landed_position
    from source
)

select * from renamed
