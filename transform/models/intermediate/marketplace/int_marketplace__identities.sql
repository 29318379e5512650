-- One row a buyer's account on a marketplace, living where its latest order with a known city went.
with
seen as (
    select
        silo,
        source_user_id,
        placed_at as seen_at,
        ship_to_region_id as region_id
    from {{ ref('int_marketplace__orders') }}
    union all
    select
        silo,
        source_user_id,
        reviewed_at as seen_at,
        cast(null as string) as region_id
    from {{ ref('stg_marketplace__reviews') }}
),

numbered as (
    select
        *,
        row_number() over (
            partition by source_user_id
            order by
                case when region_id is null then 1 else 0 end asc nulls last,
                seen_at desc nulls last,
                region_id asc nulls last
        ) as row_number_of_region
    from seen
),

final as (
    select
        silo,
        source_user_id as source_id,
        min(seen_at) as first_seen_at,
        min(case when row_number_of_region = 1 then region_id end) as region_id,
        {{ untold(['registered_at', 'member_joined_at'], 'timestamp') }},
        {{ untold(['birth_year'], 'integer') }},
        {{ untold([
            'registration_channel', 'source_referrer_id', 'member_level', 'age_band', 'gender', 'income_band',
            'home_ownership', 'marital_status', 'household_size', 'household_composition', 'kids_count',
        ]) }}
    from numbered
    group by silo, source_user_id
)

select * from final
