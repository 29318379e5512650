-- One row a version of a supplier: from when to when it held.
with
source as (
    select * from {{ source('erp', 'suppliers') }}
),

renamed as (
    select
        'erp' as silo,
        supplier_id as source_supplier_id,
        'erp:' || supplier_id as supplier_id,
        supplier_name,
        is_core,
        supply_mode,
        province,
        city,
        updated_at
    from source
),

versioned as (
    select
        *,
        {{ version_columns('supplier_id') }}
    from renamed
)

select * from versioned
