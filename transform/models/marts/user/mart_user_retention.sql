-- Cohort month × age × channel × basis: who came back. Channel 'all' counts every buyer once, by the first channel.
-- The basis login joins when a silo brings behaviour events. The periods of repurchase are the policy's at as_of.
with
merchants as (
    select * from {{ ref('dim_merchants') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

user_days as (
    select * from {{ ref('fct_user_daily') }}
),

periods as (
    select
        cast({{ policy('retention_repurchase_days', 1) }} as integer) as period_1_days,
        cast({{ policy('retention_repurchase_days', 2) }} as integer) as period_2_days,
        cast({{ policy('retention_repurchase_days', 3) }} as integer) as period_3_days,
        cast({{ policy('retention_repurchase_days', 4) }} as integer) as period_4_days
),

moments as (
    select
        'purchase' as basis,
        user_id,
        channel,
        paid_at as active_at,
        paid_date as active_date,
        order_id as tie_breaker,
        1 as times
    from orders
    where is_paid and user_id is not null
    union all
    select
        'login' as basis,
        user_id,
        first_login_channel as channel,
        first_login_at as active_at,
        activity_date as active_date,
        '' as tie_breaker,
        logins as times
    from user_days
    where logins > 0
),

numbered as (
    select
        moments.*,
        row_number() over (
            partition by moments.basis, moments.user_id
            order by moments.active_at asc nulls last, moments.tie_breaker asc nulls last
        ) as moment_number
    from moments
),

firsts as (
    select
        basis,
        user_id,
        channel as first_channel,
        active_date as first_date,
        {{ month_begin('active_date') }} as cohort_month
    from numbered
    where moment_number = 1
),

-- Who logged in twice on the first day came back that day.
seconds as (
    select
        basis,
        user_id,
        min(active_date) as second_date
    from numbered
    where moment_number = 2 or times > 1
    group by basis, user_id
),

persons as (
    select
        firsts.basis,
        firsts.user_id,
        firsts.first_channel,
        firsts.first_date,
        firsts.cohort_month,
        {{ days_between('firsts.first_date', 'seconds.second_date') }} as days_to_second
    from firsts
    left join seconds
        on
            firsts.basis = seconds.basis
            and firsts.user_id = seconds.user_id
),

-- Every person counts in its first channel and in 'all'.
members as (
    select
        basis,
        user_id,
        first_channel as channel,
        first_date,
        cohort_month,
        days_to_second
    from persons
    union all
    select
        basis,
        user_id,
        'all' as channel,
        first_date,
        cohort_month,
        days_to_second
    from persons
),

recent as (
    select
        moments.basis,
        moments.user_id,
        max(
            case
                when {{ days_between('moments.active_date', 'merchants.as_of_date') }} between 30 and 59 then 1
                else 0
            end
        ) as was_active,
        max(
            case
                when {{ days_between('moments.active_date', 'merchants.as_of_date') }} between 0 and 29 then 1
                else 0
            end
        ) as is_active
    from moments
    cross join merchants
    group by moments.basis, moments.user_id
),

cohorts as (
    select
        members.basis,
        members.channel,
        members.cohort_month,
        min(merchants.as_of_date) as as_of_date,
        count(*) as cohort_users,
        {%- for period in range(1, 5) %}
        min(periods.period_{{ period }}_days) as repurchase_period_{{ period }}_days,
        {{ repurchase_rate('periods.period_' ~ period ~ '_days') }} as repurchase_period_{{ period }}_rate,
        {%- endfor %}
        sum(recent.was_active) as previously_active_users,
        sum(recent.was_active * recent.is_active) as again_active_users
    from members
    cross join merchants
    cross join periods
    left join recent
        on
            members.basis = recent.basis
            and members.user_id = recent.user_id
    group by members.basis, members.channel, members.cohort_month
),

active_months as (
    select distinct
        basis,
        user_id,
        {{ month_begin('active_date') }} as active_month
    from moments
),

retained as (
    select
        members.basis,
        members.channel,
        members.cohort_month,
        active_months.active_month,
        count(*) as retained_users
    from members
    inner join active_months
        on
            members.basis = active_months.basis
            and members.user_id = active_months.user_id
    group by members.basis, members.channel, members.cohort_month, active_months.active_month
),

months as (
    select
        month_begin,
        max(date_day) as month_end
    from {{ ref('dim_dates') }}
    group by month_begin
),

final as (
    select
        cohorts.basis,
        cohorts.channel,
        cohorts.cohort_month,
        {{ months_between('cohorts.cohort_month', 'months.month_begin') }} as age_months,
        months.month_end <= cohorts.as_of_date as is_complete,
        cast(cohorts.cohort_users as bigint) as cohort_users,
        cast(
            case when months.month_end <= cohorts.as_of_date then coalesce(retained.retained_users, 0) end as bigint
        ) as retained_users,
        {{ rate(
            'case when months.month_end <= cohorts.as_of_date then coalesce(retained.retained_users, 0) end',
            'cohorts.cohort_users'
        ) }} as retention_rate,
        {%- for period in range(1, 5) %}
        cohorts.repurchase_period_{{ period }}_days,
        cohorts.repurchase_period_{{ period }}_rate,
        {%- endfor %}
        {{ rate('cohorts.again_active_users', 'cohorts.previously_active_users') }} as active_retention_rate
    from cohorts
    inner join months
        on
            cohorts.cohort_month <= months.month_begin
            and cohorts.as_of_date >= months.month_begin
    left join retained
        on
            cohorts.basis = retained.basis
            and cohorts.channel = retained.channel
            and cohorts.cohort_month = retained.cohort_month
            and months.month_begin = retained.active_month
)

select * from final
