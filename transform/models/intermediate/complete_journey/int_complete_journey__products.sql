-- One row a SKU: of the catalogue, or only named by sales, coupons or promotions (then is_in_catalogue is false).
{{ config(materialized='table') }} -- several models read it, and it is dear
with
products as (
    select * from {{ ref('stg_complete_journey__products') }}
),

transactions as (
    select * from {{ ref('stg_complete_journey__transactions') }}
),

coupons as (
    select * from {{ ref('stg_complete_journey__coupons') }}
),

promotions as (
    select * from {{ ref('int_complete_journey__promotions') }}
),

named as (
    select sku_id from transactions
    union
    select sku_id from coupons
    union
    select sku_id from promotions
),

uncatalogued as (
    select named.sku_id
    from named
    left join products on named.sku_id = products.sku_id
    where products.sku_id is null
),

skus as (
    select
        sku_id,
        source_sku_id,
        coalesce(department, 'UNKNOWN') as department,
        coalesce(product_category, 'UNKNOWN') as product_category,
        product_type,
        brand,
        package_size,
        true as is_in_catalogue
    from products
    union all
    select
        sku_id,
        replace(sku_id, 'complete_journey:', '') as source_sku_id,
        'UNKNOWN' as department,
        'UNKNOWN' as product_category,
        cast(null as string) as product_type,
        cast(null as string) as brand,
        cast(null as string) as package_size,
        false as is_in_catalogue
    from uncatalogued
),

final as (
    select
        sku_id as product_version_id,
        sku_id,
        'complete_journey' as silo,
        source_sku_id,
        sku_id as product_id,
        product_type as product_name,
        concat('complete_journey:', department, '/', product_category) as category_id,
        department,
        product_category,
        brand,
        product_type,
        package_size,
        cast(null as string) as supplier_id,
        cast(null as decimal(18, 2)) as cost_amount,
        cast(null as decimal(18, 2)) as list_amount,
        cast(null as date) as launched_date,
        cast(null as string) as status,
        cast(null as string) as tags,
        cast(null as boolean) as is_seasonal,
        cast(null as boolean) as is_presale,
        is_in_catalogue,
        cast(null as timestamp) as valid_from,
        cast(null as timestamp) as valid_to,
        true as is_current
    from skus
)

select * from final
