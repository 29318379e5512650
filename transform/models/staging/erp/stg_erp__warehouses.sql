-- One row a warehouse.
with
source as (
    select * from {{ source('erp', 'warehouses') }}
),

renamed as (
    select
        'erp' as silo,
        warehouse_id as source_warehouse_id,
        'erp:' || warehouse_id as warehouse_id,
        warehouse_name,
        province,
        city,
        macro_region,
        capacity_units,
        monthly_cost_amount,
        updated_at
    from source
)

select * from renamed
