-- One row a SKU of an order, with money as the middle layer names it.
with
source as (
    select * from {{ source('live', 'order_lines') }}
),

renamed as (
    select
        'live' as silo,
        order_line_id as source_line_id,
        'live:' || order_line_id as order_line_id,
        'live:' || order_id as order_id,
        sku_id as source_sku_id,
        'erp:' || sku_id as sku_id,
        false as is_gift,
        units,
        list_amount,
        discount_amount,
        -- The platform pays its subsidy back, so it is ours although the buyer does not pay it.
        platform_subsidy_amount as third_party_discount_amount,
        cast(list_amount - discount_amount as decimal(18, 2)) as gmv_amount,
        cast(payable_amount + platform_subsidy_amount as decimal(18, 2)) as paid_amount,
        placed_at
    from source
)

select * from renamed
