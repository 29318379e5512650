-- One row a member card that was shown: the number is that of the CRM's card.
with
identities as (
    select * from {{ ref('int_stores__identities') }}
),

final as (
    select
        silo,
        source_id,
        'card' as evidence,
        source_id as evidence_token,
        landed_position
    from identities
)

select * from final
