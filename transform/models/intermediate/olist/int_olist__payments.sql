-- One row a payment; the files give it no time, so it has its order's approval, and none where that never came.
with
payments as (
    select * from {{ ref('stg_olist__order_payments') }}
),

orders as (
    select * from {{ ref('int_olist__orders') }}
),

final as (
    select
        payments.payment_id,
        payments.order_id,
        payments.silo,
        payments.source_order_id,
        payments.payment_method,
        payments.payment_kind,
        payments.paid_amount,
        orders.paid_at
    from payments
    left join orders on payments.order_id = orders.order_id
)

select * from final
