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

holidays as (
    select * from {{ ref('holidays') }}
),

range_of_dates as (
    select
        coalesce(min({{ business_date('orders.placed_at') }}), min(merchants.as_of_date)) as first_date,
        min(merchants.as_of_date) as as_of_date,
        -- The holidays and promotion days below are those of China.
        coalesce(min(merchants.locale), '') like 'zh%' as is_chinese
    from merchants
    left join orders on 1 = 1
),

days as (
    select
        {{ each_day('first_date', add_days(add_months("cast(date_trunc('year', as_of_date) as date)", 12), -1)) }}
            as date_day,
        as_of_date,
        is_chinese
    from range_of_dates
),

calendar as (
    select
        date_day,
        as_of_date,
        is_chinese,
        cast(extract(year from date_day) as integer) as year,
        {{ iso_weekday('date_day') }} as iso_weekday,
        {{ iso_weekday('date_day') }} >= 6 as is_weekend
    from days
),

marked as (
    select
        *,
        {{ days_between('date_day', "cast(cast(year as string) || '-06-18' as date)") }} as days_to_618,
        {{ days_between('date_day', "cast(cast(year as string) || '-11-11' as date)") }} as days_to_double_11
    from calendar
),

final as (
    select
        marked.date_day,
        marked.year,
        cast(extract(quarter from marked.date_day) as integer) as quarter,
        cast(extract(month from marked.date_day) as integer) as month,
        {{ month_begin('marked.date_day') }} as month_begin,
        cast(date_trunc('week', marked.date_day) as date) as week_begin,
        marked.iso_weekday,
        marked.is_weekend,
        incomplete_dates.business_date is null and marked.date_day <= marked.as_of_date as is_complete,
        coalesce(holidays.is_public_holiday, false) as is_public_holiday,
        coalesce(holidays.is_makeup_workday, false) as is_makeup_workday,
        case
            when holidays.is_makeup_workday then true
            when holidays.is_public_holiday then false
            else not marked.is_weekend
        end as is_workday,
        holidays.holiday_name,
        holidays.holiday_name_zh,
        holidays.festival_name,
        holidays.festival_name_zh,
        case
            when not marked.is_chinese then null
            when
                marked.days_to_618 >= 0 and marked.days_to_618 < {{ policy('promotion_618_days') }}
                then '618'
            when
                marked.days_to_double_11 >= 0 and marked.days_to_double_11 < {{ policy('promotion_double_11_days') }}
                then 'double_11'
        end as promotion_window
    from marked
    left join incomplete_dates on marked.date_day = incomplete_dates.business_date
    left join holidays on marked.date_day = holidays.holiday_date and marked.is_chinese
)

select * from final
