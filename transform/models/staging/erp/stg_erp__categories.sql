-- One row a category.
with
source as (
    select * from {{ source('erp', 'categories') }}
),

renamed as (
    select
        'erp' as silo,
        category_id as source_category_id,
        'erp:' || category_id as category_id,
        'erp:' || parent_category_id as parent_category_id,
        category_name,
        category_name_zh,
        category_level,
        updated_at
    from source
)

select * from renamed
