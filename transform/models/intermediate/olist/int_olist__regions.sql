-- One row a city in which a buyer lives, with the macro-region (IBGE) of its state.
with
customers as (
    select * from {{ ref('stg_olist__customers') }}
),

final as (
    select distinct
        region_id,
        state as province,
        lower(city) as city,
        case
            when state in ('AC', 'AM', 'AP', 'PA', 'RO', 'RR', 'TO') then 'Norte'
            when state in ('AL', 'BA', 'CE', 'MA', 'PB', 'PE', 'PI', 'RN', 'SE') then 'Nordeste'
            when state in ('DF', 'GO', 'MS', 'MT') then 'Centro-Oeste'
            when state in ('ES', 'MG', 'RJ', 'SP') then 'Sudeste'
            when state in ('PR', 'RS', 'SC') then 'Sul'
        end as macro_region,
        cast(null as boolean) as is_core_city
    from customers
    where region_id is not null
)

select * from final
