-- One row a ticket of customer service as it is now.
with
source as (
    select * from {{ source('storefront', 'service_tickets') }}
),

renamed as (
    select
        'storefront' as silo,
        'storefront:' || ticket_id as ticket_id,
        user_id as source_user_id,
        'storefront:' || order_id as order_id,
        topic,
        opened_at,
        closed_at,
        satisfaction,
        updated_at,
        _first_position as landed_position
    from source
)

select * from renamed
