-- One row an earning of growth points.
with
source as (
    select * from {{ source('crm', 'growth_ledger') }}
),

renamed as (
    select
        'crm' as silo,
        'crm:' || entry_id as growth_id,
        card_no as source_user_id,
        'crm:' || card_no as card_id,
        points,
        source as growth_source,
        source_ref,
        earned_at,
        _first_position as landed_position
    from source
)

select * from renamed
