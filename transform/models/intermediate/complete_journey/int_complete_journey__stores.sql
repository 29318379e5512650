-- One row a store: this retailer tells no more of it than its number.
with
transactions as (
    select * from {{ ref('stg_complete_journey__transactions') }}
),

final as (
    select distinct
        store_id,
        'complete_journey' as silo,
        source_store_id,
        cast(null as string) as store_name,
        'store' as store_kind,
        cast(null as string) as region_id,
        {{ untold(['longitude', 'latitude'], 'double') }},
        {{ untold(['opened_date', 'closed_date'], 'date') }}
    from transactions
)

select * from final
