-- One row a city as it is typed once its ending is off; a name that two cities bear says nothing.
with
regions as (
    select * from {{ ref('dim_regions') }}
),

keyed as (
    select
        {{ city_key('city') }} as city_key,
        region_id
    from regions
),

final as (
    select
        city_key,
        min(region_id) as region_id
    from keyed
    where city_key is not null
    group by city_key
    having count(*) = 1
)

select * from final
