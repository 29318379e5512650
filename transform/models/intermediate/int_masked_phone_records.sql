-- What may be linked by masked phones, one row a phone pattern of a masked identity (it never showed a whole phone, nor
-- did another identity of its person) or a whole phone of a person. Empty unless the merchant wants the links.
-- A pattern of very many persons is left out: it tells little, and its pairs would be very many.
{{ config(materialized='table') }}
with
patterns as (
    select * from {{ ref('int_phone_patterns_unioned') }}
    where {{ 'true' if var('links_masked_phones', false) else 'false' }}
),

identities as (
    select * from {{ ref('int_identities_unioned') }}
),

bridge as (
    select * from {{ ref('bridge_user_identities') }}
),

shown as (
    select
        bridge.user_id,
        patterns.silo,
        patterns.source_id,
        patterns.phone_pattern,
        patterns.phone,
        max(case when patterns.phone is null then 0 else 1 end) over (partition by bridge.user_id) as has_whole_phone
    from patterns
    inner join bridge
        on
            patterns.silo = bridge.silo
            and patterns.source_id = bridge.source_id
),

homes as (
    -- Where most of a person's identities live, the lowest of several.
    select
        user_id,
        region_id,
        row_number() over (
            partition by user_id
            order by identity_count desc nulls last, region_id asc nulls last
        ) as row_number_of_region
    from (
        select
            bridge.user_id,
            identities.region_id,
            count(*) as identity_count
        from bridge
        inner join identities
            on
                bridge.silo = identities.silo
                and bridge.source_id = identities.source_id
        where identities.region_id is not null
        group by bridge.user_id, identities.region_id
    ) as regions_of_users
),

records as (
    select distinct
        true as is_masked,
        silo,
        source_id,
        user_id,
        phone_pattern,
        phone
    from shown
    where has_whole_phone = 0
    union all
    select distinct
        false as is_masked,
        cast(null as string) as silo,
        cast(null as string) as source_id,
        user_id,
        phone_pattern,
        phone
    from shown
    where phone is not null
),

counted as (
    select
        *,
        sum(case when is_masked then 0 else 1 end) over (partition by phone_pattern) as holders
    from records
),

final as (
    select
        counted.is_masked,
        counted.silo,
        counted.source_id,
        counted.user_id,
        counted.phone_pattern,
        counted.phone,
        homes.region_id,
        regions.province
    from counted
    left join homes
        on
            counted.user_id = homes.user_id
            and homes.row_number_of_region = 1
    left join {{ ref('dim_regions') }} as regions on homes.region_id = regions.region_id
    where counted.holders <= 100
)

select * from final
