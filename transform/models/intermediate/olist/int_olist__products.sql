-- One row a SKU: of the catalogue, or only named by orders (then is_in_catalogue is false).
with
products as (
    select * from {{ ref('stg_olist__products') }}
),

order_items as (
    select * from {{ ref('stg_olist__order_items') }}
),

categories as (
    select * from {{ ref('stg_olist__product_category_name_translation') }}
),

skus as (
    select
        sku_id,
        source_sku_id,
        coalesce(source_category, 'UNKNOWN') as source_category,
        true as is_in_catalogue
    from products
    union all
    select distinct
        order_items.sku_id,
        order_items.source_sku_id,
        'UNKNOWN' as source_category,
        false as is_in_catalogue
    from order_items
    left join products on order_items.sku_id = products.sku_id
    where products.sku_id is null
),

final as (
    select
        skus.sku_id as product_version_id,
        skus.sku_id,
        'olist' as silo,
        skus.source_sku_id,
        skus.sku_id as product_id,
        'olist:' || skus.source_category as category_id,
        coalesce(categories.category_name, skus.source_category) as department,
        {{ untold([
            'product_name', 'brand', 'product_type', 'package_size', 'supplier_id', 'status', 'tags'
        ]) }},
        {{ untold(['cost_amount', 'list_amount'], 'decimal(18, 2)') }},
        {{ untold(['launched_date'], 'date') }},
        {{ untold(['is_seasonal', 'is_presale'], 'boolean') }},
        skus.is_in_catalogue,
        {{ untold(['valid_from', 'valid_to'], 'timestamp') }},
        true as is_current
    from skus
    left join categories on skus.source_category = categories.source_category
)

select * from final
