-- One row an invoice of a supplier.
with
source as (
    select * from {{ source('erp', 'supplier_invoices') }}
),

renamed as (
    select
        'erp' as silo,
        invoice_id as source_invoice_id,
        'erp:' || invoice_id as invoice_id,
        'erp:' || supplier_id as supplier_id,
        invoiced_date,
        due_date,
        invoiced_amount,
        created_at
    from source
)

select * from renamed
