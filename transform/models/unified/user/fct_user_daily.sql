-- Person by day, where the person did something in an own channel.
{%- do find_changed_user_days() %}
with
events as (
    {{ only_changed(ref('fct_user_events'), 'user_day', "concat(user_id, ' ', event_date)", date='event_date') }}
),

final as (
    select
        user_id,
        event_date as activity_date,
        count(*) as events,
        count(distinct session_id) as sessions,
        cast(sum(case when event_type = 'product_view' then 1 else 0 end) as bigint) as product_views,
        cast(sum(case when event_type = 'add_to_cart' then 1 else 0 end) as bigint) as carts,
        cast(sum(case when event_type = 'checkout' then 1 else 0 end) as bigint) as checkouts,
        cast(sum(case when event_type = 'login' then 1 else 0 end) as bigint) as logins,
        min(case when event_type = 'login' then event_at end) as first_login_at,
        {{ earliest(
            "case when event_type = 'login' then channel end", 'event_at', 'event_id'
        ) }} as first_login_channel,
        cast(sum(coalesce(dwell_ms, 0)) as bigint) as dwell_ms
    from events
    where user_id is not null
    group by user_id, event_date
)

select * from final
order by activity_date asc nulls last
