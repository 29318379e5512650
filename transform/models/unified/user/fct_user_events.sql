-- One row a thing that somebody did in an own channel; who is not logged in is the one person of that device.
with
events as (
    {{ unify(['stg_storefront__events'], computed=['user_id', 'channel_group', 'event_date']) | indent(4) }}
),

devices as (
    select
        silo,
        source_id,
        user_id
    from {{ ref('bridge_user_identities') }}
    where identity_kind = 'device'
),

final as (
    select
        events.*,
        coalesce(identities.user_id, devices.user_id) as user_id,
        channels.channel_group,
        {{ business_date('events.event_at') }} as event_date
    from events
    {{ join_user('events') }}
    left join devices
        on
            events.silo = devices.silo
            and events.device_id = devices.source_id
    {{ join_channel('events') }}
)

select * from final
order by event_date asc nulls last
