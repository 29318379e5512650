-- One row a day, from the first business date of any fact to the end of as_of's year.
with
merchants as (
    select * from {{ ref('dim_merchants') }}
),

first_dates as (
    select * from {{ ref('int_first_dates') }}
),

incomplete_dates as (
    select distinct business_date
    from {{ source('zhongtai', 'incomplete_dates') }}
),

holidays as (
    select * from {{ ref('holidays') }}
),

policies as (
    select * from {{ policies_over_time(['promotion_618_days', 'promotion_double_11_days']) }}
),

range_of_dates as (
    select
        -- Least passes over NULL: a merchant without facts has as_of's year from as_of on.
        least(min(first_dates.first_date), min(merchants.as_of_date)) as first_date,
        min(merchants.as_of_date) as as_of_date,
        -- The holidays and promotion days below are those of China.
        coalesce(min(merchants.locale), '') like 'zh%' as is_chinese
    from merchants
    cross join first_dates
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

-- A promotion has the length that the policy says on its last day, also where it changes before.
promoted as (
    select
        *,
        {{ add_days('date_day', 'case when days_to_618 >= 0 then days_to_618 else days_to_double_11 end') }}
            as promotion_date
    from marked
),

final as (
    select
        promoted.date_day,
        promoted.year,
        cast(extract(quarter from promoted.date_day) as integer) as quarter,
        cast(extract(month from promoted.date_day) as integer) as month,
        {{ month_begin('promoted.date_day') }} as month_begin,
        cast(date_trunc('week', promoted.date_day) as date) as week_begin,
        promoted.iso_weekday,
        promoted.is_weekend,
        incomplete_dates.business_date is null and promoted.date_day <= promoted.as_of_date as is_complete,
        coalesce(holidays.is_public_holiday, false) as is_public_holiday,
        coalesce(holidays.is_makeup_workday, false) as is_makeup_workday,
        case
            when holidays.is_makeup_workday then true
            when holidays.is_public_holiday then false
            else not promoted.is_weekend
        end as is_workday,
        holidays.holiday_name,
        holidays.holiday_name_zh,
        holidays.festival_name,
        holidays.festival_name_zh,
        case
            when not promoted.is_chinese then null
            when
                promoted.days_to_618 >= 0 and promoted.days_to_618 < policies.promotion_618_days
                then '618'
            when
                promoted.days_to_double_11 >= 0 and promoted.days_to_double_11 < policies.promotion_double_11_days
                then 'double_11'
        end as promotion_window
    from promoted
    left join policies on {{ policies_hold('promoted.promotion_date') }}
    left join incomplete_dates on promoted.date_day = incomplete_dates.business_date
    left join holidays on promoted.date_day = holidays.holiday_date and promoted.is_chinese
)

select * from final
