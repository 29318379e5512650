-- One row a line refunded, whole or in part.
with
source as (
    select * from {{ source('storefront', 'refunds') }}
),

renamed as (
    select
        'storefront' as silo,
        'storefront:' || refund_id as refund_id,
        'storefront:' || order_id as order_id,
        'storefront:' || order_line_id as order_line_id,
        refund_amount,
        refund_units,
        reason as refund_reason,
        refunded_at
    from source
)

select * from renamed
