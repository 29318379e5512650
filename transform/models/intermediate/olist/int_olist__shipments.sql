-- One row an order that was handed to a carrier or delivered: an order of several sellers has one set of moments.
with
orders as (
    select * from {{ ref('stg_olist__orders') }}
),

customers as (
    select * from {{ ref('stg_olist__customers') }}
),

promised as (
    select
        *,
        -- The promise is a day, so it holds until that day ends.
        {{ date_begin(add_days('promised_date', 1)) }} as promised_at
    from orders
    where shipped_at is not null or delivered_at is not null
),

final as (
    select
        promised.order_id as shipment_id,
        promised.silo,
        promised.order_id,
        {{ untold(['warehouse_id', 'carrier_id']) }},
        'standard' as service,
        customers.region_id as destination_region_id,
        promised.promised_at,
        promised.shipped_at,
        {{ business_date('promised.shipped_at') }} as shipped_date,
        promised.delivered_at,
        {{ business_date('promised.delivered_at') }} as delivered_date,
        promised.delivered_at <= promised.promised_at as is_on_time,
        -- The freight is what the buyer pays; what the carrier gets is not told.
        {{ untold(['cost_amount'], 'decimal(18, 2)') }}
    from promised
    left join customers on promised.customer_id = customers.customer_id
)

select * from final
