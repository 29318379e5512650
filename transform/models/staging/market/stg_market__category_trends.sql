-- One row a category, month and source: demand in the market.
with
source as (
    select * from {{ source('market', 'category_trends') }}
),

renamed as (
    select
        'market' as silo,
        'erp:' || category_id as category_id,
        trend_month,
        trend_index,
        growth_rate,
        source
    from source
)

select * from renamed
