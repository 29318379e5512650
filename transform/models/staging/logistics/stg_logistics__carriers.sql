-- One row a carrier.
with
source as (
    select * from {{ source('logistics', 'carriers') }}
),

renamed as (
    select
        'logistics' as silo,
        carrier_id as source_carrier_id,
        'logistics:' || carrier_id as carrier_id,
        carrier_name,
        updated_at
    from source
)

select * from renamed
