-- One row a warehouse, with the region of its city.
with
warehouses as (
    select * from {{ ref('stg_erp__warehouses') }}
),

final as (
    select
        warehouses.warehouse_id,
        warehouses.silo,
        warehouses.warehouse_name,
        regions.region_id,
        warehouses.macro_region,
        warehouses.capacity_units,
        warehouses.monthly_cost_amount
    from warehouses
    {{ join_region('warehouses', 'city') }}
)

select * from final
