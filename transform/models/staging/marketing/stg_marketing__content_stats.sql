-- One row a content and day.
with
source as (
    select * from {{ source('marketing', 'content_stats') }}
),

renamed as (
    select
        'marketing' as silo,
        'marketing:' || content_id as content_id,
        stat_date,
        views,
        likes,
        shares,
        search_entrances
    from source
)

select * from renamed
