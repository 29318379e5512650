-- One row a unit of a product in an order, with money as the middle layer names it.
with
source as (
    select * from {{ source('olist', 'order_items') }}
),

renamed as (
    select
        'olist' as silo,
        'olist:' || order_id as order_id,
        'olist:' || order_id || ':' || cast(order_item_id as string) as order_line_id,
        cast(order_item_id as string) as source_line_id,
        product_id as source_sku_id,
        'olist:' || product_id as sku_id,
        'olist:' || seller_id as supplier_id,
        false as is_gift,
        1 as units,
        -- No discount is told: a voucher is a way to pay (docs/decisions/0010-olist.md).
        price as list_amount,
        cast(0 as decimal(18, 2)) as discount_amount,
        cast(0 as decimal(18, 2)) as third_party_discount_amount,
        price as gmv_amount,
        price as paid_amount,
        freight_value as shipping_amount,
        shipping_limit_date as ship_by_at
    from source
)

select * from renamed
