-- One row a store and day of a picture.
with
source as (
    select * from {{ source('stores', 'stores') }}
),

renamed as (
    select
        'stores' as silo,
        snapshot_date,
        store_id as source_store_id,
        'stores:' || store_id as store_id,
        store_name,
        store_kind,
        province,
        city,
        address,
        longitude,
        latitude,
        opened_date,
        closed_date
    from source
)

select * from renamed
