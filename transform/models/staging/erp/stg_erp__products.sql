-- One row a product (SPU), the family of its SKUs.
with
source as (
    select * from {{ source('erp', 'products') }}
),

renamed as (
    select
        'erp' as silo,
        product_id as source_product_id,
        'erp:' || product_id as product_id,
        product_name,
        'erp:' || category_id as category_id,
        brand,
        updated_at
    from source
)

select * from renamed
