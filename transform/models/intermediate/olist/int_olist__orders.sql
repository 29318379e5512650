-- One row an order in the words of the middle layer, with the shipping of its items.
with
orders as (
    select * from {{ ref('stg_olist__orders') }}
),

customers as (
    select * from {{ ref('stg_olist__customers') }}
),

shipping as (
    select
        order_id,
        sum(shipping_amount) as shipping_amount
    from {{ ref('stg_olist__order_items') }}
    group by order_id
),

translated as (
    select
        *,
        case
            when source_status = 'created' then 'placed'
            when source_status in ('approved', 'processing', 'invoiced') then 'paid'
            when source_status = 'shipped' then 'shipped'
            when source_status = 'delivered' then 'completed'
            when source_status in ('canceled', 'unavailable') then 'cancelled'
        end as order_status
    from orders
),

final as (
    select
        translated.order_id,
        translated.silo,
        translated.source_order_id,
        customers.source_user_id,
        'olist' as channel,
        {{ untold(['store_id', 'campaign_id', 'session_id', 'live_session_id']) }},
        'normal' as order_type,
        translated.order_status,
        customers.region_id as ship_to_region_id,
        translated.placed_at,
        -- What went on its way was paid, even where the approval is missing.
        case
            when translated.approved_at is not null then translated.approved_at
            when translated.order_status in ('paid', 'shipped', 'completed') then translated.placed_at
        end as paid_at,
        coalesce(shipping.shipping_amount, 0) as shipping_amount
    from translated
    left join customers on translated.customer_id = customers.customer_id
    left join shipping on translated.order_id = shipping.order_id
)

select * from final
