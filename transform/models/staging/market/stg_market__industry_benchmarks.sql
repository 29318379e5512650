-- One row a category, macro-region and month: what the industry reaches.
with
source as (
    select * from {{ source('market', 'industry_benchmarks') }}
),

renamed as (
    select
        'market' as silo,
        'erp:' || category_id as category_id,
        macro_region,
        benchmark_month,
        turnover_rate,
        gross_margin_rate,
        sell_through_rate
    from source
)

select * from renamed
