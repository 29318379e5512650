-- Every merge of two persons whom evidence that landed later joined, and every value that would join persons and is not
-- believed: a family's phone, or a number with a new holder.
with
identities as (
    select * from {{ ref('int_identities_unioned') }}
),

persons as (
    select * from {{ ref('int_persons') }}
),

links as (
    select * from {{ ref('int_identity_links') }}
),

joins as (
    select
        persons.joined_position as merged_at_position,
        {{ user_id('remaining') }} as user_id,
        {{ user_id('absorbed') }} as merged_user_id,
        'merge' as action,
        persons.joined_evidence as evidence,
        persons.joined_token as evidence_token
    from persons
    inner join identities as absorbed on persons.identity_rank = absorbed.identity_rank
    inner join identities as remaining on persons.joined_rank = remaining.identity_rank
    where persons.joined_position is not null
),

holders as (
    select
        links.evidence,
        links.evidence_token,
        persons.person_rank,
        min(links.landed_position) as landed_position
    from links
    inner join persons on links.identity_rank = persons.identity_rank
    group by links.evidence, links.evidence_token, persons.person_rank
),

numbered as (
    select
        *,
        min(person_rank) over (partition by evidence, evidence_token) as first_person_rank
    from holders
),

splits as (
    select
        numbered.landed_position as merged_at_position,
        {{ user_id('remaining') }} as user_id,
        {{ user_id('apart') }} as merged_user_id,
        'split' as action,
        numbered.evidence,
        numbered.evidence_token
    from numbered
    inner join identities as apart on numbered.person_rank = apart.identity_rank
    inner join identities as remaining on numbered.first_person_rank = remaining.identity_rank
    where numbered.person_rank <> numbered.first_person_rank
),

unioned as (
    select * from joins
    union all
    select * from splits
),

final as (
    select
        md5(concat(action, ':', merged_user_id, ':', evidence, ':', evidence_token)) as merge_id,
        *
    from unioned
)

select * from final
