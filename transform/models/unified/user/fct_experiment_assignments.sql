-- One row an account of the own shop put into a variant; one in two variants has two.
with
assignments as (
    {{ unify(['stg_marketing__assignments'], computed=['user_id']) | indent(4) }}
),

final as (
    select
        assignments.*,
        identities.user_id
    from assignments
    {{ join_user('assignments', silo='storefront') }}
)

select * from final
