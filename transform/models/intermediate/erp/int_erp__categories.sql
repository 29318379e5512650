-- One row a category, with the SKUs directly in it.
with
categories as (
    select * from {{ ref('stg_erp__categories') }}
),

products as (
    select * from {{ ref('int_erp__products') }}
),

filled as (
    select
        category_id,
        count(*) as sku_count
    from products
    where is_current
    group by category_id
),

final as (
    select
        categories.category_id,
        categories.silo,
        categories.parent_category_id,
        categories.category_name,
        categories.category_name_zh,
        categories.category_level,
        coalesce(filled.sku_count, 0) as sku_count
    from categories
    left join filled on categories.category_id = filled.category_id
)

select * from final
