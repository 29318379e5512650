-- One row a basket: the header of its lines, which all name the same household, store and moment.
with
transactions as (
    select * from {{ ref('stg_complete_journey__transactions') }}
),

baskets as (
    select
        silo,
        source_order_id,
        order_id,
        min(source_user_id) as source_user_id,
        min(store_id) as store_id,
        min(placed_at) as placed_at,
        min(paid_at) as paid_at
    from transactions
    group by silo, source_order_id, order_id
),

final as (
    select
        order_id,
        silo,
        source_order_id,
        source_user_id,
        'store' as channel,
        store_id,
        {{ untold(['campaign_id', 'session_id', 'live_session_id', 'ship_to_region_id']) }},
        'normal' as order_type,
        'completed' as order_status,
        placed_at,
        paid_at,
        0 as shipping_amount
    from baskets
)

select * from final
