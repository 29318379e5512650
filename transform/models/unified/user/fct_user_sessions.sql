-- One row a session of an own channel: how it began, how far it went and what it paid.
{%- do find_changed_sessions() %}
with
events as (
    {{ only_changed(ref('fct_user_events'), 'session', 'session_id', date='event_date') }}
),

orders as (
    {{ only_changed(ref('fct_orders'), 'session', 'session_id') }}
),

paid as (
    select
        session_id,
        count(*) as paid_orders,
        sum(paid_amount) as paid_amount
    from orders
    where is_paid and session_id is not null
    group by session_id
),

-- An account that is not known yet logs nobody in.
logged_in as (
    select
        events.*,
        identities.user_id as account_user_id
    from events
    {{ join_user('events') }}
),

sessions as (
    select
        session_id,
        silo,
        -- Who logs in within the session was there before: a device of several people tells less than one's account.
        coalesce(
            {{ earliest('account_user_id', 'event_at', 'event_id') }}, {{ earliest('user_id', 'event_at', 'event_id') }}
        ) as user_id,
        {{ earliest('device_id', 'event_at', 'event_id') }} as device_id,
        {{ earliest('channel', 'event_at', 'event_id') }} as channel,
        {{ earliest('device_type', 'event_at', 'event_id') }} as device_type,
        {{ earliest('utm_source', 'event_at', 'event_id') }} as utm_source,
        {{ earliest('utm_campaign', 'event_at', 'event_id') }} as utm_campaign,
        {{ earliest('campaign_id', 'event_at', 'event_id') }} as campaign_id,
        min(event_at) as started_at,
        max(event_at) as ended_at,
        count(*) as events,
        sum(case when event_type = 'product_view' then 1 else 0 end) as product_views,
        sum(case when event_type = 'add_to_cart' then 1 else 0 end) as carts,
        sum(case when event_type = 'checkout' then 1 else 0 end) as checkouts,
        sum(coalesce(dwell_ms, 0)) as dwell_ms
    from logged_in
    group by session_id, silo
),

final as (
    select
        sessions.session_id,
        sessions.silo,
        sessions.user_id,
        sessions.device_id,
        sessions.channel,
        channels.channel_group,
        sessions.device_type,
        sessions.started_at,
        sessions.ended_at,
        {{ business_date('sessions.started_at') }} as session_date,
        sessions.events,
        cast(sessions.product_views as bigint) as product_views,
        cast(sessions.carts as bigint) as carts,
        cast(sessions.checkouts as bigint) as checkouts,
        cast(sessions.dwell_ms as bigint) as dwell_ms,
        cast(coalesce(paid.paid_orders, 0) as bigint) as paid_orders,
        cast(coalesce(paid.paid_amount, 0) as decimal(18, 2)) as paid_amount,
        sessions.utm_source,
        sessions.utm_campaign,
        sessions.campaign_id
    from sessions
    left join paid on sessions.session_id = paid.session_id
    {{ join_channel('sessions') }}
)

select * from final
order by session_date asc nulls last
