-- One row a SKU and week: in how many stores it was displayed or advertised.
{{ config(materialized='table') }} -- several models read it, and it is dear
with
promotions as (
    select * from {{ ref('stg_complete_journey__promotions') }}
),

by_store as (
    select
        source_sku_number,
        week_begin,
        source_store_number,
        max(case when is_displayed then 1 else 0 end) as is_displayed,
        max(case when is_in_mailer then 1 else 0 end) as is_in_mailer
    from promotions
    group by source_sku_number, week_begin, source_store_number
),

weekly as (
    select
        source_sku_number,
        week_begin,
        count(*) as promoted_stores,
        sum(is_displayed) as displaying_stores,
        sum(is_in_mailer) as mailer_stores
    from by_store
    group by source_sku_number, week_begin
),

final as (
    select
        concat('complete_journey:', cast(source_sku_number as string)) as sku_id,
        'complete_journey' as silo,
        week_begin,
        promoted_stores,
        displaying_stores,
        mailer_stores
    from weekly
)

select * from final
