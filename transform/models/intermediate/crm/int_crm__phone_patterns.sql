-- One row a contact or member card, or the bare phone of an SMS, and what a mask would leave of its phone.
with
shown as (
    select
        source_user_id as source_id,
        phone,
        phone_partial
    from {{ ref('stg_crm__contacts') }}
    union all
    select
        source_user_id as source_id,
        phone,
        phone_partial
    from {{ ref('stg_crm__members') }}
    union all
    select
        phone as source_id,
        phone,
        phone_partial
    from {{ ref('stg_crm__touches') }}
    where source_contact_id is null
),

final as (
    select distinct
        'crm' as silo,
        source_id,
        phone_partial as phone_pattern,
        phone
    from shown
    where source_id is not null and phone_partial is not null
)

select * from final
