-- Which person a buyer with a masked phone probably is. Evidence apart: no user_id of any other table follows from it.
with
links as (
    select * from {{ ref('int_masked_phone_links') }}
),

numbered as (
    select
        *,
        row_number() over (
            partition by silo, source_id
            order by match_probability desc nulls last, user_id asc nulls last
        ) as row_number_of_identity
    from links
),

final as (
    select
        silo,
        source_id,
        own_user_id,
        user_id,
        match_probability,
        evidence
    from numbered
    where
        row_number_of_identity = 1
        and match_probability >= {{ policy('masked_phone_min_probability') }}
)

select * from final
