-- Every policy with its values over time.
with
policies as (
    select * from {{ source('zhongtai', 'policies') }}
),

merchants as (
    select * from {{ ref('dim_merchants') }}
),

dated as (
    select
        *,
        lead(effective_from) over (
            partition by policy, position
            order by effective_from asc nulls first
        ) as effective_to
    from policies
),

final as (
    select
        dated.policy,
        dated.position,
        dated.policy_value,
        dated.unit,
        dated.description,
        dated.effective_from,
        dated.effective_to,
        dated.effective_from <= merchants.as_of_date
        and (dated.effective_to is null or dated.effective_to > merchants.as_of_date) as is_current,
        dated.source
    from dated
    cross join merchants
)

select * from final
