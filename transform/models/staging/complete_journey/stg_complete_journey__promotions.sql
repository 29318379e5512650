-- One row a place in a store or its mailer where a product was promoted in a week.
with
source as (
    select * from {{ source('complete_journey', 'promotions') }}
),

renamed as (
    select
        'complete_journey' as silo,
        -- Numbers here, text once grouped: 21 million texts would cost more than all the rest.
        product_id as source_sku_number,
        store_id as source_store_number,
        -- The study's weeks start on Mondays; its first one has only Sunday 2017-01-01.
        case
            when week = 1 then cast('2017-01-01' as date)
            else {{ add_days("cast('2017-01-02' as date)", '7 * (week - 2)') }}
        end as week_begin,
        display_location <> '0' as is_displayed,
        mailer_location <> '0' as is_in_mailer
    from source
)

select * from renamed
