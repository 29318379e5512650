-- One row a WeCom contact as it is now, deleted ones included.
with
source as (
    select * from {{ source('crm', 'contacts') }}
),

renamed as (
    select
        'crm' as silo,
        external_id as source_user_id,
        unionid,
        phone,
        phone_partial,
        name as contact_name,
        owner,
        source_channel,
        added_at,
        is_deleted,
        updated_at
    from source
)

select * from renamed
