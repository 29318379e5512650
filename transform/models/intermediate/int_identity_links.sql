-- One row an identity and a value that it holds: every unionid, and what others hold, too. What very many identities of
-- one silo hold is a counter's or a default value, and says nothing.
{{ config(materialized='table') }}
with
evidence as (
    select * from {{ ref('int_identity_evidence_unioned') }}
),

identities as (
    select * from {{ ref('int_identities_unioned') }}
),

held as (
    select
        silo,
        source_id,
        evidence,
        evidence_token,
        min(landed_position) as landed_position
    from evidence
    group by silo, source_id, evidence, evidence_token
),

holders_by_silo as (
    select
        evidence,
        evidence_token,
        silo,
        count(*) as holders
    from held
    group by evidence, evidence_token, silo
),

values_held as (
    select
        evidence,
        evidence_token,
        sum(holders) as holders,
        max(holders) as holders_in_one_silo
    from holders_by_silo
    group by evidence, evidence_token
),

final as (
    select
        identities.identity_rank,
        held.evidence,
        held.evidence_token,
        cast(held.landed_position as bigint) as landed_position
    from held
    inner join identities
        on
            held.silo = identities.silo
            and held.source_id = identities.source_id
    inner join values_held
        on
            held.evidence = values_held.evidence
            and held.evidence_token = values_held.evidence_token
    where
        values_held.holders_in_one_silo <= {{ policy('identity_holders_limit') }}
        and (values_held.holders > 1 or held.evidence = 'unionid')
)

select * from final
