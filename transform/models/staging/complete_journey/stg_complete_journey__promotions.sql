-- One row a place in a store or its mailer where a product was promoted in a week.
with
source as (
    select * from {{ source('complete_journey', 'promotions') }}
),

renamed as (
    select
        'complete_journey' as silo,
        concat('complete_journey:', cast(product_id as string)) as sku_id,
        concat('complete_journey:', cast(store_id as string)) as store_id,
        -- The study's weeks start on Mondays; its first one has only Sunday 2017-01-01.
        case
            when week = 1 then cast('2017-01-01' as date)
            else {{ add_days("cast('2017-01-02' as date)", '7 * (week - 2)') }}
        end as week_begin,
        {{ add_days("cast('2017-01-01' as date)", '7 * (week - 1)') }} as week_end,
        nullif(display_location, '0') as display_location,
        nullif(mailer_location, '0') as mailer_location
    from source
)

select * from renamed
