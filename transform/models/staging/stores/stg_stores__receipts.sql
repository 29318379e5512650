-- One row a till receipt: it is the order of a store.
with
source as (
    select * from {{ source('stores', 'receipts') }}
),

renamed as (
    select
        'stores' as silo,
        receipt_id as source_order_id,
        'stores:' || receipt_id as order_id,
        'stores:' || store_id as store_id,
        card_no as source_user_id,
        cashier,
        payment_method,
        paid_at,
        _first_position as landed_position
    from source
)

select * from renamed
