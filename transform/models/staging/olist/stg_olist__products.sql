-- One row a product of the catalogue.
with
source as (
    select * from {{ source('olist', 'products') }}
),

renamed as (
    select
        'olist' as silo,
        product_id as source_sku_id,
        'olist:' || product_id as sku_id,
        product_category_name as source_category,
        product_name_length as name_length,
        product_description_length as description_length,
        product_photos_qty as photos,
        product_weight_g as weight_g,
        product_length_cm as length_cm,
        product_height_cm as height_cm,
        product_width_cm as width_cm
    from source
)

select * from renamed
