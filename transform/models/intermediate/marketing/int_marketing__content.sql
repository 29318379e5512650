-- One row a piece of content, its tags separated by commas.
with
content as (
    select * from {{ ref('stg_marketing__content') }}
),

final as (
    select
        content_id,
        silo,
        content_title,
        content_type,
        author_tier,
        platform,
        -- ["camping", "gift"] becomes camping,gift: no tag has a comma or a quote in it.
        replace(replace(replace(replace(tags, '[', ''), ']', ''), '"', ''), ', ', ',') as tags,
        sku_id,
        published_at
    from content
)

select * from final
