-- One row a review of a SKU bought.
with
source as (
    select * from {{ source('marketplace', 'reviews') }}
),

renamed as (
    select
        'marketplace' as silo,
        'marketplace:' || review_id as review_id,
        'marketplace:' || order_id as order_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        buyer_id as source_user_id,
        rating,
        review_text,
        reviewed_at,
        _first_position as landed_position
    from source
)

select * from renamed
