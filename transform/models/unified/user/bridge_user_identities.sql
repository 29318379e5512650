-- Which identity is which person. So far every identity is a person of its own: no silo yet shares evidence with
-- another. The id derives from the identity, so a rebuild gives the same one.
with
identities as (
    select * from {{ ref('int_identities_unioned') }}
),

final as (
    select
        silo,
        source_id,
        concat('u', substring(md5(concat(silo, ':', source_id)), 1, 16)) as user_id,
        'own' as evidence,
        cast(1 as double) as confidence,
        first_seen_at
    from identities
)

select * from final
