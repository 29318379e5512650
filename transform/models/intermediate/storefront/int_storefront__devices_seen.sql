-- One row an account and a device (either may be unknown) by day of UTC: who used what, told by the day's events.
with
events as (
    select * from {{ ref('stg_storefront__events') }}
),

final as (
    select
        source_user_id,
        device_id,
        cast(event_at as date) as seen_date,
        min(event_at) as first_seen_at,
        min(landed_position) as landed_position
    from events
    group by source_user_id, device_id, cast(event_at as date)
)

select * from final
order by seen_date asc nulls last
