-- One row a parcel, with the region that it goes to and whether it kept its promise.
with
shipments as (
    select * from {{ ref('stg_logistics__shipments') }}
),

final as (
    select
        shipments.shipment_id,
        shipments.silo,
        shipments.order_id,
        shipments.warehouse_id,
        shipments.carrier_id,
        shipments.service,
        regions.region_id as destination_region_id,
        shipments.promised_at,
        shipments.shipped_at,
        {{ business_date('shipments.shipped_at') }} as shipped_date,
        shipments.delivered_at,
        {{ business_date('shipments.delivered_at') }} as delivered_date,
        shipments.delivered_at <= shipments.promised_at as is_on_time,
        shipments.cost_amount
    from shipments
    {{ join_region('shipments', 'destination_city') }}
)

select * from final
