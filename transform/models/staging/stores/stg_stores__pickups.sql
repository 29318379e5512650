-- One row a parcel to be picked up as it is now.
with
source as (
    select * from {{ source('stores', 'pickups') }}
),

renamed as (
    select
        'stores' as silo,
        'stores:' || pickup_id as pickup_id,
        'storefront:' || order_id as order_id,
        'stores:' || store_id as store_id,
        arrived_at,
        collected_at,
        updated_at
    from source
)

select * from renamed
