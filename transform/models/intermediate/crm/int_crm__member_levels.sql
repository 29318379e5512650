-- One row a version of a member card's level, the first from the day that it was joined.
with
members as (
    select * from {{ ref('stg_crm__members') }}
),

compared as (
    select
        *,
        version_number = 1
        or coalesce(member_level, '') <> lag(coalesce(member_level, '')) over (
            partition by source_user_id
            order by version_number asc nulls last
        ) as is_another
    from members
),

begun as (
    select
        silo,
        source_user_id,
        card_id,
        member_level,
        case when version_number = 1 then least(joined_at, updated_at) else updated_at end as begun_at
    from compared
    where is_another
),

versioned as (
    select
        *,
        {{ version_columns('source_user_id', 'begun_at') }}
    from begun
),

final as (
    select
        card_id || '@' || cast(version_number as string) as member_level_version_id,
        card_id,
        silo,
        source_user_id,
        member_level,
        begun_at as valid_from,
        valid_to,
        is_current
    from versioned
)

select * from final
