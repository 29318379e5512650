-- One row a person, with what its identities know of it and its buying to date.
with
identities as (
    select * from {{ ref('int_identities_unioned') }}
),

bridge as (
    select * from {{ ref('bridge_user_identities') }}
),

paid_orders as (
    select
        user_id,
        min(paid_at) as first_paid_at,
        max(paid_at) as last_paid_at,
        count(*) as paid_orders
    from {{ ref('fct_orders') }}
    where is_paid and user_id is not null
    group by user_id
),

persons as (
    select
        bridge.user_id,
        cast(count(*) as integer) as identity_count,
        cast(count(distinct bridge.silo) as integer) as silo_count,
        min(identities.first_seen_at) as first_seen_at,
        min(identities.registered_at) as registered_at,
        {{ earliest('identities.registration_channel', 'identities.registered_at', 'identities.source_id') }}
            as registration_channel,
        {{ earliest('referrers.user_id', 'identities.registered_at', 'identities.source_id') }} as referrer_user_id,
        min(identities.member_joined_at) as member_joined_at,
        max(identities.member_level) as member_level,
        -- Where it registered, else wherever its goods went.
        coalesce(
            {{ earliest(
                'case when identities.registered_at is not null then identities.region_id end',
                'identities.registered_at',
                'identities.source_id'
            ) }},
            min(identities.region_id)
        ) as region_id,
        min(identities.age_band) as age_band,
        min(identities.birth_year) as birth_year,
        min(identities.gender) as gender,
        min(identities.income_band) as income_band,
        min(identities.home_ownership) as home_ownership,
        min(identities.marital_status) as marital_status,
        min(identities.household_size) as household_size,
        min(identities.household_composition) as household_composition,
        min(identities.kids_count) as kids_count
    from bridge
    inner join identities
        on
            bridge.silo = identities.silo
            and bridge.source_id = identities.source_id
    left join bridge as referrers
        on
            identities.silo = referrers.silo
            and identities.source_referrer_id = referrers.source_id
    group by bridge.user_id
),

final as (
    select
        persons.*,
        paid_orders.first_paid_at,
        paid_orders.last_paid_at,
        cast(coalesce(paid_orders.paid_orders, 0) as bigint) as paid_orders
    from persons
    left join paid_orders on persons.user_id = paid_orders.user_id
)

select * from final
