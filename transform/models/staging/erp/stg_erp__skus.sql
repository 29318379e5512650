-- One row a version of a SKU: from when to when its cost, price and status held.
with
source as (
    select * from {{ source('erp', 'skus') }}
),

renamed as (
    select
        'erp' as silo,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        'erp:' || product_id as product_id,
        sku_name,
        'erp:' || supplier_id as supplier_id,
        cost_amount,
        list_amount,
        launched_date,
        status,
        tags,
        is_seasonal,
        is_presale,
        package_size,
        updated_at
    from source
),

versioned as (
    select
        *,
        {{ version_columns('sku_id') }}
    from renamed
)

select * from versioned
