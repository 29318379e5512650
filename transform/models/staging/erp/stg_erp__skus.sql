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

numbered as (
    select
        *,
        cast(row_number() over (partition by sku_id order by updated_at asc nulls last) as integer) as version_number,
        lead(updated_at) over (partition by sku_id order by updated_at asc nulls last) as valid_to
    from renamed
),

versioned as (
    select
        *,
        -- What held before the first export is not told: the first version counts as if it had always held.
        case when version_number > 1 then updated_at end as valid_from
    from numbered
)

select * from versioned
