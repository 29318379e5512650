-- One row an account or device. An account is of the users table, or only named by what it did (its own row late or in
-- quarantine); a device is somebody's once an account logged in on it.
with
users as (
    select * from {{ ref('stg_storefront__users') }}
    where is_current
),

seen as (
    {%- for table, moment in [
        ('stg_storefront__users', 'registered_at'),
        ('stg_storefront__orders', 'placed_at'),
        ('int_storefront__devices_seen', 'first_seen_at'),
        ('stg_storefront__coupons', 'issued_at'),
        ('stg_storefront__presale_reservations', 'reserved_at'),
        ('stg_storefront__service_tickets', 'opened_at'),
        ('stg_storefront__reviews', 'reviewed_at'),
    ] %}
    select
        source_user_id,
        {{ moment }} as seen_at,
        landed_position
    from {{ ref(table) }}
    where source_user_id is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

accounts as (
    select
        source_user_id,
        min(seen_at) as first_seen_at,
        min(landed_position) as landed_position
    from seen
    group by source_user_id
),

devices as (
    select
        device_id,
        min(first_seen_at) as first_seen_at,
        min(landed_position) as landed_position
    from {{ ref('int_storefront__devices_seen') }}
    group by device_id
    having count(source_user_id) > 0
),

named as (
    select
        accounts.source_user_id as source_id,
        'account' as identity_kind,
        accounts.landed_position,
        accounts.first_seen_at,
        users.registered_at,
        users.registration_channel,
        users.source_referrer_id,
        regions.region_id,
        users.birth_year,
        users.gender
    from accounts
    left join users on accounts.source_user_id = users.source_user_id
    {{ join_region('users', 'city') }}
    union all
    select
        device_id as source_id,
        'device' as identity_kind,
        landed_position,
        first_seen_at,
        {{ untold(['registered_at'], 'timestamp') }},
        {{ untold(['registration_channel', 'source_referrer_id', 'region_id']) }},
        {{ untold(['birth_year'], 'integer') }},
        {{ untold(['gender']) }}
    from devices
),

final as (
    select
        'storefront' as silo,
        *,
        {{ untold(['member_joined_at'], 'timestamp') }},
        {{ untold([
            'member_level', 'age_band', 'income_band', 'home_ownership', 'marital_status', 'household_size',
            'household_composition', 'kids_count',
        ]) }}
    from named
)

select * from final
