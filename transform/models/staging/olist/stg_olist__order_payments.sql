-- One row a payment.
with
source as (
    select * from {{ source('olist', 'order_payments') }}
),

renamed as (
    select
        'olist' as silo,
        'olist:' || order_id || ':' || cast(payment_sequential as string) as payment_id,
        order_id as source_order_id,
        'olist:' || order_id as order_id,
        nullif(payment_type, 'not_defined') as payment_method,
        -- Each pays its part of the one sum due: there are neither deposits nor balances.
        'full' as payment_kind,
        payment_installments as instalments,
        payment_value as paid_amount
    from source
)

select * from renamed
