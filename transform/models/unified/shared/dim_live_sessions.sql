-- One row a live session of any silo.
with
sessions as (
    {{ unify(['stg_live__sessions'], computed=['session_date']) | indent(4) }}
),

final as (
    select
        sessions.*,
        {{ business_date('sessions.started_at') }} as session_date
    from sessions
)

select * from final
