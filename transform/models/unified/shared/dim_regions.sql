-- One row a city of the merchant's country: the seed has China's, and a silo may bring its own.
with
regions as (
    select * from {{ ref('regions') }}
),

merchants as (
    select * from {{ ref('dim_merchants') }}
),

own_regions as (
    {{ unify(['int_olist__regions']) | indent(4) }}
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
    union all
    select
        region_id,
        province,
        city,
        macro_region,
        is_core_city
    from own_regions
)

select * from final
