-- One row a category of the catalogue or of the translation; there are none above or below it.
with
products as (
    select * from {{ ref('int_olist__products') }}
),

translations as (
    select * from {{ ref('stg_olist__product_category_name_translation') }}
),

named as (
    select
        category_id,
        department as category_name,
        1 as skus
    from products
    union all
    select
        'olist:' || source_category as category_id,
        category_name,
        0 as skus
    from translations
),

final as (
    select
        category_id,
        'olist' as silo,
        cast(null as string) as parent_category_id,
        min(category_name) as category_name,
        cast(null as string) as category_name_zh,
        1 as category_level,
        sum(skus) as sku_count
    from named
    group by category_id
)

select * from final
