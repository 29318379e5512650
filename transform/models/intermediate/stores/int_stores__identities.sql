-- One row a member card shown in a store: at the till or on a visit.
with
seen as (
    select
        silo,
        source_user_id,
        paid_at as seen_at,
        landed_position
    from {{ ref('stg_stores__receipts') }}
    union all
    select
        silo,
        source_user_id,
        visited_at as seen_at,
        landed_position
    from {{ ref('stg_stores__visits') }}
),

final as (
    select
        silo,
        source_user_id as source_id,
        -- The card itself is the CRM's; here it is only shown.
        'shown_card' as identity_kind,
        min(landed_position) as landed_position,
        min(seen_at) as first_seen_at,
        {{ untold(['registered_at', 'member_joined_at'], 'timestamp') }},
        {{ untold(['birth_year'], 'integer') }},
        {{ untold([
            'registration_channel', 'source_referrer_id', 'region_id', 'member_level', 'age_band', 'gender',
            'income_band', 'home_ownership', 'marital_status', 'household_size', 'household_composition', 'kids_count',
        ]) }}
    from seen
    where source_user_id is not null
    group by silo, source_user_id
)

select * from final
