-- One row a seller; its region is known where a buyer lives in a city of that name and state.
with
sellers as (
    select * from {{ ref('stg_olist__sellers') }}
),

regions as (
    select * from {{ ref('int_olist__regions') }}
),

final as (
    select
        sellers.supplier_id as supplier_version_id,
        sellers.supplier_id,
        sellers.silo,
        regions.region_id,
        {{ untold(['supplier_name', 'supply_mode']) }},
        {{ untold(['is_core'], 'boolean') }},
        {{ untold(['lead_time_days', 'response_hours'], 'double') }},
        {{ untold(['minimum_order_units'], 'bigint') }},
        {{ untold(['valid_from', 'valid_to'], 'timestamp') }},
        true as is_current
    from sellers
    left join regions on sellers.region_id = regions.region_id
)

select * from final
