-- One row a payment to a supplier.
with
source as (
    select * from {{ source('erp', 'supplier_payments') }}
),

renamed as (
    select
        'erp' as silo,
        supplier_payment_id as source_supplier_payment_id,
        'erp:' || supplier_payment_id as supplier_payment_id,
        'erp:' || invoice_id as invoice_id,
        'erp:' || supplier_id as supplier_id,
        paid_amount,
        paid_at
    from source
)

select * from renamed
