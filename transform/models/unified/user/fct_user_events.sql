-- One row a thing that somebody did in an own channel.
with
events as (
    {{ unify(['stg_storefront__events'], computed=['user_id', 'channel_group', 'event_date']) | indent(4) }}
),

final as (
    select
        events.*,
        identities.user_id,
        channels.channel_group,
        {{ business_date('events.event_at') }} as event_date
    from events
    {{ join_user('events') }}
    {{ join_channel('events') }}
)

select * from final
order by event_date asc nulls last
