-- One row a member card as it is now.
with
source as (
    select * from {{ source('crm', 'members') }}
),

renamed as (
    select
        'crm' as silo,
        card_no as source_user_id,
        'crm:' || card_no as card_id,
        external_id as source_contact_id,
        unionid,
        phone,
        phone_partial,
        name as member_name,
        joined_at,
        level as member_level,
        updated_at
    from source
)

select * from renamed
