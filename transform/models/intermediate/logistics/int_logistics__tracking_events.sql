-- One row a scan of a parcel, with the region of its city.
with
tracking_events as (
    select * from {{ ref('stg_logistics__tracking_events') }}
),

final as (
    select
        tracking_events.tracking_event_id,
        tracking_events.silo,
        tracking_events.shipment_id,
        tracking_events.tracked_at,
        {{ business_date('tracking_events.tracked_at') }} as tracked_date,
        tracking_events.status,
        regions.region_id,
        tracking_events.facility
    from tracking_events
    {{ join_region('tracking_events', 'city') }}
)

select * from final
