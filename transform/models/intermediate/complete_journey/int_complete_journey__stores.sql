-- One row a store: this retailer tells no more of it than its number.
with
transactions as (
    select * from {{ ref('stg_complete_journey__transactions') }}
),

final as (
    select
        store_id,
        'complete_journey' as silo,
        source_store_id,
        cast(null as string) as store_name,
        'store' as store_kind,
        cast(null as string) as region_id,
        {{ untold(['longitude', 'latitude'], 'double') }},
        {{ untold(['opened_date', 'closed_date'], 'date') }},
        min({{ business_date('placed_at') }}) as first_order_date,
        max({{ business_date('placed_at') }}) as last_order_date
    from transactions
    group by store_id, source_store_id
)

select * from final
