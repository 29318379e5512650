-- One row a supplier as it is now, with the terms of its SKUs summed up.
with
suppliers as (
    select * from {{ ref('stg_erp__suppliers') }}
),

supplier_terms as (
    select * from {{ ref('stg_erp__supplier_terms') }}
),

terms as (
    select
        supplier_id,
        {{ rate('sum(lead_time_days)', 'count(*)') }} as lead_time_days,
        min(minimum_order_units) as minimum_order_units,
        min(response_hours) as response_hours
    from supplier_terms
    group by supplier_id
),

final as (
    select
        suppliers.supplier_id as supplier_version_id,
        suppliers.supplier_id,
        suppliers.silo,
        suppliers.supplier_name,
        suppliers.is_core,
        suppliers.supply_mode,
        regions.region_id,
        terms.lead_time_days,
        terms.minimum_order_units,
        terms.response_hours,
        cast(null as timestamp) as valid_from,
        cast(null as timestamp) as valid_to,
        true as is_current
    from suppliers
    left join terms on suppliers.supplier_id = terms.supplier_id
    {{ join_region('suppliers', 'city') }}
)

select * from final
