-- One row a scan of a parcel.
with
source as (
    select * from {{ source('logistics', 'tracking_events') }}
),

renamed as (
    select
        'logistics' as silo,
        tracking_event_id as source_tracking_event_id,
        'logistics:' || tracking_event_id as tracking_event_id,
        'logistics:' || shipment_id as shipment_id,
        tracked_at,
        status,
        city,
        facility
    from source
)

select * from renamed
