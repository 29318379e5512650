{% macro buyer_identities(silo) -%}
    {#-
        The CTEs `numbered` and `final` after `seen` (source_user_id, seen_at, region_id, landed_position), of a silo that
        knows its buyers only from what they did: one row a buyer, living where the latest order with a known city went.
    -#}
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
        '{{ silo }}' as silo,
        source_user_id as source_id,
        'buyer' as identity_kind,
        min(landed_position) as landed_position,
        min(seen_at) as first_seen_at,
        min(case when row_number_of_region = 1 then region_id end) as region_id,
        {{ untold(['registered_at', 'member_joined_at'], 'timestamp') }},
        {{ untold(['birth_year'], 'integer') }},
        {{ untold([
            'registration_channel', 'source_referrer_id', 'member_level', 'age_band', 'gender', 'income_band',
            'home_ownership', 'marital_status', 'household_size', 'household_composition', 'kids_count',
        ]) }}
    from numbered
    group by source_user_id
)
{%- endmacro %}
