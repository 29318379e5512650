-- One row an earning of membership points.
with
growth as (
    {{ unify(['stg_crm__growth_ledger'], computed=['user_id', 'earned_date']) | indent(4) }}
),

final as (
    select
        growth.*,
        identities.user_id,
        {{ business_date('growth.earned_at') }} as earned_date
    from growth
    {{ join_user('growth') }}
)

select * from final
