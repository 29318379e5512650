-- One row a ticket of customer service.
with
tickets as (
    {{ unify(['stg_storefront__service_tickets'], computed=['user_id', 'opened_date']) | indent(4) }}
),

final as (
    select
        tickets.*,
        identities.user_id,
        {{ business_date('tickets.opened_at') }} as opened_date
    from tickets
    {{ join_user('tickets') }}
)

select * from final
