-- One row a SKU that a supplier offers.
with
source as (
    select * from {{ source('market', 'selection_candidates') }}
),

renamed as (
    select
        'market' as silo,
        candidate_id as source_candidate_id,
        'market:' || candidate_id as candidate_id,
        candidate_name,
        'erp:' || category_id as category_id,
        'erp:' || supplier_id as supplier_id,
        cost_amount,
        target_amount,
        offered_date
    from source
)

select * from renamed
