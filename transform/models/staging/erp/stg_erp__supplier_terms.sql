-- One row a SKU that a supplier delivers, with the terms that hold now.
with
source as (
    select * from {{ source('erp', 'supplier_terms') }}
),

renamed as (
    select
        'erp' as silo,
        'erp:' || supplier_id as supplier_id,
        'erp:' || sku_id as sku_id,
        lead_time_days,
        minimum_order_units,
        price_amount,
        response_hours,
        updated_at
    from source
)

select * from renamed
