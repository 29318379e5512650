-- One row a place where a warehouse could be opened.
with
source as (
    select * from {{ source('erp', 'warehouse_candidates') }}
),

renamed as (
    select
        'erp' as silo,
        warehouse_candidate_id as source_warehouse_candidate_id,
        'erp:' || warehouse_candidate_id as warehouse_candidate_id,
        province,
        city,
        macro_region,
        capacity_units,
        monthly_cost_amount,
        updated_at
    from source
)

select * from renamed
