-- One row a till receipt: it is paid in one payment.
with
receipts as (
    select * from {{ ref('stg_stores__receipts') }}
),

lines as (
    select
        order_id,
        sum(paid_amount) as paid_amount
    from {{ ref('stg_stores__receipt_lines') }}
    group by order_id
),

final as (
    select
        receipts.order_id as payment_id,
        receipts.order_id,
        receipts.silo,
        receipts.source_order_id,
        receipts.payment_method,
        'full' as payment_kind,
        coalesce(lines.paid_amount, 0) as paid_amount,
        receipts.paid_at
    from receipts
    left join lines on receipts.order_id = lines.order_id
)

select * from final
