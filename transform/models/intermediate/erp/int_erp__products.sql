-- One row a version of a SKU, with what its product (SPU) and the categories above it say.
with
skus as (
    select * from {{ ref('stg_erp__skus') }}
),

products as (
    select * from {{ ref('stg_erp__products') }}
),

categories as (
    select * from {{ ref('stg_erp__categories') }}
),

final as (
    select
        skus.sku_id || '@' || cast(skus.version_number as string) as product_version_id,
        skus.sku_id,
        skus.silo,
        skus.source_sku_id,
        skus.product_id,
        skus.sku_name as product_name,
        products.category_id,
        coalesce(grandparents.category_name, parents.category_name, categories.category_name) as department,
        products.brand,
        categories.category_name as product_type,
        skus.package_size,
        skus.supplier_id,
        skus.cost_amount,
        skus.list_amount,
        skus.launched_date,
        skus.status,
        skus.tags,
        skus.is_seasonal,
        skus.is_presale,
        true as is_in_catalogue,
        skus.valid_from,
        skus.valid_to,
        skus.valid_to is null as is_current
    from skus
    left join products on skus.product_id = products.product_id
    left join categories on products.category_id = categories.category_id
    left join categories as parents on categories.parent_category_id = parents.category_id
    left join categories as grandparents on parents.parent_category_id = grandparents.category_id
)

select * from final
