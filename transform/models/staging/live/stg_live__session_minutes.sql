-- One row a minute of a live session.
with
source as (
    select * from {{ source('live', 'session_minutes') }}
),

renamed as (
    select
        'live' as silo,
        'live:' || live_session_id as live_session_id,
        minute_at,
        viewers,
        likes
    from source
)

select * from renamed
