-- One row a live session as it is now.
with
source as (
    select * from {{ source('live', 'sessions') }}
),

renamed as (
    select
        'live' as silo,
        live_session_id as source_live_session_id,
        'live:' || live_session_id as live_session_id,
        platform,
        host,
        title,
        started_at,
        ended_at,
        updated_at
    from source
)

select * from renamed
