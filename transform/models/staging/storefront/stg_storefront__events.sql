-- One row a thing that somebody did in the app, web shop or mini-program.
with
source as (
    select * from {{ source('storefront', 'events') }}
),

renamed as (
    select
        'storefront' as silo,
        'storefront:' || event_id as event_id,
        event_at,
        user_id as source_user_id,
        device_id,
        'storefront:' || session_id as session_id,
        event_type,
        channel,
        device_type,
        page,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        'marketing:' || content_id as content_id,
        'live:' || live_session_id as live_session_id,
        search_query,
        dwell_ms,
        referrer,
        utm_source,
        utm_medium,
        utm_campaign,
        'marketing:' || utm_campaign as campaign_id,
        ad_click_id,
        _first_position as landed_position
    from source
)

select * from renamed
