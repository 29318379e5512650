-- One row a contact or member card of the private domain: with a row of its own, or only named by what it did.
with
contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

members as (
    select * from {{ ref('stg_crm__members') }}
),

seen as (
    select
        source_user_id,
        added_at as seen_at
    from contacts
    union all
    select
        source_user_id,
        joined_at as seen_at
    from members
    union all
    select
        source_user_id,
        joined_at as seen_at
    from {{ ref('stg_crm__group_members') }}
    union all
    select
        source_user_id,
        posted_at as seen_at
    from {{ ref('stg_crm__group_messages') }}
    union all
    select
        source_contact_id as source_user_id,
        sent_at as seen_at
    from {{ ref('stg_crm__touches') }}
    union all
    select
        source_user_id,
        earned_at as seen_at
    from {{ ref('stg_crm__growth_ledger') }}
),

named as (
    select
        source_user_id,
        min(seen_at) as first_seen_at
    from seen
    where source_user_id is not null
    group by source_user_id
),

final as (
    select
        'crm' as silo,
        named.source_user_id as source_id,
        named.first_seen_at,
        -- A card is a registration; a contact only lets itself be written to.
        members.joined_at as registered_at,
        members.joined_at as member_joined_at,
        members.member_level,
        {{ untold(['birth_year'], 'integer') }},
        {{ untold([
            'registration_channel', 'source_referrer_id', 'region_id', 'age_band', 'gender', 'income_band',
            'home_ownership', 'marital_status', 'household_size', 'household_composition', 'kids_count',
        ]) }}
    from named
    left join members on named.source_user_id = members.source_user_id
)

select * from final
