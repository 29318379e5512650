-- One row what a contact or member card shows of its person in a version of it, deleted ones included: a contact that
-- is gone was the same person before.
with
contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

members as (
    select * from {{ ref('stg_crm__members') }}
),

touches as (
    select * from {{ ref('stg_crm__touches') }}
    where source_contact_id is null
),

told as (
    {%- for table, id, evidence, token in [
        ('members', 'source_user_id', 'card', 'source_user_id'),
        ('members', 'source_user_id', 'contact', 'source_contact_id'),
        ('members', 'source_contact_id', 'contact', 'source_contact_id'),
        ('members', 'source_user_id', 'unionid', 'unionid'),
        ('members', 'source_user_id', 'phone', 'phone'),
        ('members', 'source_user_id', 'phone_and_name', "phone || ' ' || member_name"),
        ('contacts', 'source_user_id', 'unionid', 'unionid'),
        ('contacts', 'source_user_id', 'phone', 'phone'),
        ('contacts', 'source_user_id', 'phone_and_name', "phone || ' ' || contact_name"),
        ('touches', 'phone', 'phone', 'phone'),
    ] %}
    select
        {{ id }} as source_id,
        '{{ evidence }}' as evidence,
        {{ token }} as evidence_token,
        landed_position
    from {{ table }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        'crm' as silo,
        *
    from told
    where source_id is not null and evidence_token is not null
)

select * from final
