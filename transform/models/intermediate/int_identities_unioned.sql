-- One row an identity of a person in any silo, with what the silo knows of it, in the order in which they landed.
{{ config(materialized='table') }}
with
identities as (
    {{ unify(
        [
            'int_complete_journey__identities',
            'int_storefront__identities',
            'int_marketplace__identities',
            'int_live__identities',
            'int_stores__identities',
            'int_crm__identities',
            'int_olist__identities',
        ],
        computed=['identity_rank'],
    ) | indent(4) }}
),

final as (
    select
        *,
        cast(
            row_number() over (
                order by landed_position asc nulls last, silo asc nulls last, source_id asc nulls last
            ) - 1 as bigint
        ) as identity_rank
    from identities
)

select * from final
order by identity_rank asc nulls last
