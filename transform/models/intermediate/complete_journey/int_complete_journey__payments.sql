-- One row a basket: it is paid at the till, in one payment whose method is not told.
with
transactions as (
    select * from {{ ref('stg_complete_journey__transactions') }}
),

final as (
    select
        order_id as payment_id,
        order_id,
        silo,
        source_order_id,
        cast(null as string) as payment_method,
        'full' as payment_kind,
        sum(paid_amount) as paid_amount,
        min(paid_at) as paid_at
    from transactions
    group by order_id, silo, source_order_id
)

select * from final
