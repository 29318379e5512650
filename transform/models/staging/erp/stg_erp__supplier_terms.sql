-- One row a version of what a supplier agreed to for a SKU, ends included: from when to when it held.
with
source as (
    select * from {{ source('erp', 'supplier_terms') }}
),

renamed as (
    select
        'erp' as silo,
        'erp:' || supplier_id as supplier_id,
        'erp:' || sku_id as sku_id,
        lead_time_days,
        minimum_order_units,
        price_amount,
        response_hours,
        is_ended,
        updated_at
    from source
),

versioned as (
    select
        *,
        {{ version_columns('supplier_id, sku_id') }}
    from renamed
)

select * from versioned
