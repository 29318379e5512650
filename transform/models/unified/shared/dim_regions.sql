-- One row a city of the merchant's country; there are regions of China only.
with
regions as (
    select * from {{ ref('regions') }}
),

merchants as (
    select * from {{ ref('dim_merchants') }}
),

final as (
    select
        regions.region_id,
        regions.province,
        regions.city,
        regions.macro_region,
        regions.is_core_city
    from regions
    inner join merchants on merchants.locale like 'zh%'
)

select * from final
