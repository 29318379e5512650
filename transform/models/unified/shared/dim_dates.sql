-- One row a day, from the first business date with an order to the end of as_of's year.
with
merchants as (
    select * from {{ ref('dim_merchants') }}
),

orders as (
    select * from {{ ref('int_orders_unioned') }}
),

incomplete_dates as (
    select distinct business_date
    from {{ source('zhongtai', 'incomplete_dates') }}
),

range_of_dates as (
    select
        coalesce(min({{ business_date('orders.placed_at') }}), min(merchants.as_of_date)) as first_date,
        min(merchants.as_of_date) as as_of_date
    from merchants
    left join orders on 1 = 1
),

days as (
    select
        {{ each_day('first_date', add_days(add_months("cast(date_trunc('year', as_of_date) as date)", 12), -1)) }}
            as date_day,
        as_of_date
    from range_of_dates
),

final as (
    select
        days.date_day,
        cast(extract(year from days.date_day) as integer) as year,
        cast(extract(quarter from days.date_day) as integer) as quarter,
        cast(extract(month from days.date_day) as integer) as month,
        {{ month_begin('days.date_day') }} as month_begin,
        cast(date_trunc('week', days.date_day) as date) as week_begin,
        {{ iso_weekday('days.date_day') }} as iso_weekday,
        {{ iso_weekday('days.date_day') }} >= 6 as is_weekend,
        incomplete_dates.business_date is null and days.date_day <= days.as_of_date as is_complete
    from days
    left join incomplete_dates on days.date_day = incomplete_dates.business_date
)

select * from final
