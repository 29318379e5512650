-- One row a payment to a supplier, on its business date.
with
supplier_payments as (
    select * from {{ ref('stg_erp__supplier_payments') }}
),

final as (
    select
        supplier_payment_id,
        invoice_id,
        silo,
        supplier_id,
        paid_amount,
        {{ business_date('paid_at') }} as paid_date
    from supplier_payments
)

select * from final
