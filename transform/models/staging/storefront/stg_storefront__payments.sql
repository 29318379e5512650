-- One row a payment; a presale has a deposit and a balance.
with
source as (
    select * from {{ source('storefront', 'payments') }}
),

renamed as (
    select
        'storefront' as silo,
        'storefront:' || payment_id as payment_id,
        order_id as source_order_id,
        'storefront:' || order_id as order_id,
        payment_method,
        payment_kind,
        paid_amount,
        paid_at
    from source
)

select * from renamed
