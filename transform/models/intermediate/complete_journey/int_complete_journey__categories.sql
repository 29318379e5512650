-- One row a department, and one a category below it.
with
products as (
    select * from {{ ref('int_complete_journey__products') }}
),

final as (
    select
        concat('complete_journey:', department) as category_id,
        silo,
        cast(null as string) as parent_category_id,
        department as category_name,
        cast(null as string) as category_name_zh,
        1 as category_level,
        0 as sku_count
    from products
    group by silo, department
    union all
    select
        category_id,
        silo,
        concat('complete_journey:', department) as parent_category_id,
        product_category as category_name,
        cast(null as string) as category_name_zh,
        2 as category_level,
        count(*) as sku_count
    from products
    group by category_id, silo, department, product_category
)

select * from final
