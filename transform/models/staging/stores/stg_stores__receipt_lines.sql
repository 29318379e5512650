-- One row a SKU of a receipt, with money as the middle layer names it.
with
source as (
    select * from {{ source('stores', 'receipt_lines') }}
),

renamed as (
    select
        'stores' as silo,
        receipt_line_id as source_line_id,
        'stores:' || receipt_line_id as order_line_id,
        'stores:' || receipt_id as order_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        false as is_gift,
        units,
        list_amount,
        discount_amount,
        cast(0 as decimal(18, 2)) as third_party_discount_amount,
        cast(list_amount - discount_amount as decimal(18, 2)) as gmv_amount,
        paid_amount,
        paid_at
    from source
)

select * from renamed
