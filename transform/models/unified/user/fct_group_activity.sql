-- One row a message posted in a private-domain group.
with
activity as (
    {{ unify(['int_crm__group_activity'], computed=['user_id', 'activity_date']) | indent(4) }}
),

final as (
    select
        activity.*,
        identities.user_id,
        {{ business_date('activity.posted_at') }} as activity_date
    from activity
    {{ join_user('activity') }}
)

select * from final
