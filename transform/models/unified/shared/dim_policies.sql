-- Every policy with its values over time.
with
policies as (
    select * from {{ source('zhongtai', 'policies') }}
),

merchants as (
    select * from {{ ref('dim_merchants') }}
),

-- A policy changes as a whole: a list that becomes shorter leaves no old values behind.
changes as (
    select distinct
        policy,
        effective_from
    from policies
),

periods as (
    select
        policy,
        effective_from,
        lead(effective_from) over (
            partition by policy
            order by effective_from asc nulls first
        ) as effective_to
    from changes
),

final as (
    select
        policies.policy,
        policies.policy_name_zh,
        policies.position,
        policies.position_name,
        policies.policy_value,
        policies.unit,
        policies.description,
        policies.effective_from,
        periods.effective_to,
        policies.effective_from <= merchants.as_of_date
        and (periods.effective_to is null or periods.effective_to > merchants.as_of_date) as is_current,
        policies.source
    from policies
    inner join periods
        on
            policies.policy = periods.policy
            and policies.effective_from = periods.effective_from
    cross join merchants
)

select * from final
