-- One row a parcel as it is now.
with
source as (
    select * from {{ source('logistics', 'shipments') }}
),

renamed as (
    select
        'logistics' as silo,
        shipment_id as source_shipment_id,
        'logistics:' || shipment_id as shipment_id,
        order_silo,
        order_silo || ':' || order_id as order_id,
        'erp:' || warehouse_id as warehouse_id,
        'logistics:' || carrier_id as carrier_id,
        service,
        destination_province,
        destination_city,
        promised_at,
        shipped_at,
        delivered_at,
        cost_amount,
        updated_at
    from source
)

select * from renamed
