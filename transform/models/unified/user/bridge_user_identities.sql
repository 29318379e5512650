-- Which identity is which person. A person's id derives from its earliest landed identity, so that a rebuild gives the
-- same one and new evidence changes nobody else's.
with
identities as (
    select * from {{ ref('int_identities_unioned') }}
),

persons as (
    select * from {{ ref('int_persons') }}
),

final as (
    select
        identities.silo,
        identities.source_id,
        identities.identity_kind,
        {{ user_id('earliest') }} as user_id,
        case
            when persons.identity_rank = persons.person_rank then 'own' else persons.evidence
        end as evidence,
        cast(1 as double) as confidence,
        identities.first_seen_at
    from identities
    inner join persons on identities.identity_rank = persons.identity_rank
    inner join identities as earliest on persons.person_rank = earliest.identity_rank
)

select * from final
