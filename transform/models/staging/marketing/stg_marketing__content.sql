-- One row an article, picture story or video; its tags are a JSON list.
with
source as (
    select * from {{ source('marketing', 'content') }}
),

renamed as (
    select
        'marketing' as silo,
        content_id as source_content_id,
        'marketing:' || content_id as content_id,
        title as content_title,
        content_type,
        author_kind as author_tier,
        platform,
        tags,
        'erp:' || sku_id as sku_id,
        published_at,
        updated_at
    from source
)

select * from renamed
