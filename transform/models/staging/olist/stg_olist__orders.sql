-- One row an order, with the moments of its life.
with
source as (
    select * from {{ source('olist', 'orders') }}
),

renamed as (
    select
        'olist' as silo,
        order_id as source_order_id,
        'olist:' || order_id as order_id,
        customer_id,
        order_status as source_status,
        order_purchase_timestamp as placed_at,
        order_approved_at as approved_at,
        order_delivered_carrier_date as shipped_at,
        order_delivered_customer_date as delivered_at,
        order_estimated_delivery_date as promised_date
    from source
)

select * from renamed
