-- One row a version of the level of a member card of any silo.
with
levels as (
    {{ unify(['int_crm__member_levels'], computed=['user_id']) | indent(4) }}
),

final as (
    select
        levels.*,
        identities.user_id
    from levels
    {{ join_user('levels') }}
)

select * from final
