-- One row a till receipt as an order: paid at once and taken along, in the channel that the store is.
with
receipts as (
    select * from {{ ref('stg_stores__receipts') }}
),

stores as (
    select * from {{ ref('int_stores__stores') }}
),

final as (
    select
        receipts.order_id,
        receipts.silo,
        receipts.source_order_id,
        receipts.source_user_id,
        -- A store that no picture has yet is taken for the usual kind, so that its sales stay offline.
        coalesce(stores.store_kind, 'store') as channel,
        receipts.store_id,
        {{ untold(['campaign_id', 'session_id', 'live_session_id', 'ship_to_region_id']) }},
        'normal' as order_type,
        'completed' as order_status,
        receipts.paid_at as placed_at,
        receipts.paid_at,
        cast(0 as decimal(18, 2)) as shipping_amount
    from receipts
    left join stores on receipts.store_id = stores.store_id
)

select * from final
