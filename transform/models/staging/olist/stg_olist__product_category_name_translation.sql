-- One row a category with its English name.
with
source as (
    select * from {{ source('olist', 'product_category_name_translation') }}
),

renamed as (
    select
        'olist' as silo,
        product_category_name as source_category,
        product_category_name_english as category_name
    from source
)

select * from renamed
