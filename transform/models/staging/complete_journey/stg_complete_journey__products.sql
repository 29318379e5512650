-- One row a product of the catalogue.
with
source as (
    select * from {{ source('complete_journey', 'products') }}
),

renamed as (
    select
        'complete_journey' as silo,
        cast(product_id as string) as source_sku_id,
        concat('complete_journey:', cast(product_id as string)) as sku_id,
        cast(manufacturer_id as string) as manufacturer_id,
        department,
        product_category,
        product_type,
        brand,
        package_size
    from source
)

select * from renamed
