-- One row a message to one person as it is now.
with
source as (
    select * from {{ source('crm', 'touches') }}
),

renamed as (
    select
        'crm' as silo,
        'crm:' || touch_id as touch_id,
        external_id as source_contact_id,
        phone,
        phone_partial,
        touch_channel as channel,
        'crm:' || message_id as message_id,
        'crm:' || group_id as group_id,
        'marketing:' || campaign_id as campaign_id,
        content_type,
        offer_type,
        sent_at,
        delivered_at,
        opened_at,
        clicked_at,
        updated_at,
        _first_position as landed_position
    from source
)

select * from renamed
