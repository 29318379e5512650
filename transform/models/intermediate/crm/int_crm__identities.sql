-- One row a contact, member card or bare phone of the private domain: with a row of its own, or only named elsewhere.
with
members as (
    select * from {{ ref('stg_crm__members') }}
    where is_current
),

seen as (
    {%- for table, kind, id, moment in [
        ('contacts', 'contact', 'source_user_id', 'added_at'),
        ('members', 'card', 'source_user_id', 'joined_at'),
        ('members', 'contact', 'source_contact_id', 'joined_at'),
        ('group_members', 'contact', 'source_user_id', 'joined_at'),
        ('group_messages', 'contact', 'source_user_id', 'posted_at'),
        ('touches', 'contact', 'source_contact_id', 'sent_at'),
        ('growth_ledger', 'card', 'source_user_id', 'earned_at'),
    ] %}
    select
        {{ id }} as source_id,
        '{{ kind }}' as identity_kind,
        {{ moment }} as seen_at,
        landed_position
    from {{ ref('stg_crm__' ~ table) }}
    union all
    {%- endfor %}
    -- An SMS goes to a phone.
    select
        phone as source_id,
        'phone' as identity_kind,
        sent_at as seen_at,
        landed_position
    from {{ ref('stg_crm__touches') }}
    where source_contact_id is null
),

named as (
    select
        source_id,
        identity_kind,
        min(seen_at) as first_seen_at,
        min(landed_position) as landed_position
    from seen
    where source_id is not null
    group by source_id, identity_kind
),

final as (
    select
        'crm' as silo,
        named.source_id,
        named.identity_kind,
        named.landed_position,
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
    left join members on named.source_id = members.source_user_id
)

select * from final
