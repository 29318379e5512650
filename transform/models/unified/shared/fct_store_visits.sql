-- One row a visit in a store at which a coupon or a member card was shown.
with
visits as (
    {{ unify(['stg_stores__visits'], computed=['user_id', 'visited_date']) | indent(4) }}
),

final as (
    select
        visits.*,
        identities.user_id,
        {{ business_date('visits.visited_at') }} as visited_date
    from visits
    {{ join_user('visits') }}
)

select * from final
