-- One row a minute of a live session.
with
minutes as (
    {{ unify(['stg_live__session_minutes'], computed=['minute_date']) | indent(4) }}
),

final as (
    select
        minutes.*,
        {{ business_date('minutes.minute_at') }} as minute_date
    from minutes
)

select * from final
