-- One row a SKU of an order, with money as the middle layer names it.
with
source as (
    select * from {{ source('storefront', 'order_lines') }}
),

renamed as (
    select
        'storefront' as silo,
        order_line_id as source_line_id,
        'storefront:' || order_line_id as order_line_id,
        'storefront:' || order_id as order_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        is_gift,
        units,
        list_amount,
        discount_amount,
        cast(0 as decimal(18, 2)) as third_party_discount_amount,
        cast(list_amount - discount_amount as decimal(18, 2)) as gmv_amount,
        payable_amount as paid_amount,
        placed_at
    from source
)

select * from renamed
