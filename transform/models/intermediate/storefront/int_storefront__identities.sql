-- One row an account: of the users table, or only named by what it did (its own row late or in quarantine).
with
users as (
    select * from {{ ref('stg_storefront__users') }}
),

seen as (
    select
        source_user_id,
        registered_at as seen_at
    from users
    union all
    select
        source_user_id,
        placed_at as seen_at
    from {{ ref('stg_storefront__orders') }}
    union all
    select
        source_user_id,
        event_at as seen_at
    from {{ ref('stg_storefront__events') }}
    where source_user_id is not null
    union all
    select
        source_user_id,
        issued_at as seen_at
    from {{ ref('stg_storefront__coupons') }}
    union all
    select
        source_user_id,
        reserved_at as seen_at
    from {{ ref('stg_storefront__presale_reservations') }}
    union all
    select
        source_user_id,
        opened_at as seen_at
    from {{ ref('stg_storefront__service_tickets') }}
    union all
    select
        source_user_id,
        reviewed_at as seen_at
    from {{ ref('stg_storefront__reviews') }}
),

accounts as (
    select
        source_user_id,
        min(seen_at) as first_seen_at
    from seen
    group by source_user_id
),

final as (
    select
        'storefront' as silo,
        accounts.source_user_id as source_id,
        accounts.first_seen_at,
        users.registered_at,
        users.registration_channel,
        users.source_referrer_id,
        regions.region_id,
        users.birth_year,
        users.gender,
        {{ untold(['member_joined_at'], 'timestamp') }},
        {{ untold([
            'member_level', 'age_band', 'income_band', 'home_ownership', 'marital_status', 'household_size',
            'household_composition', 'kids_count',
        ]) }}
    from accounts
    left join users on accounts.source_user_id = users.source_user_id
    {{ join_region('users', 'city') }}
)

select * from final
