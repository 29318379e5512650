-- One row a line refunded.
with
source as (
    select * from {{ source('marketplace', 'refunds') }}
),

renamed as (
    select
        'marketplace' as silo,
        'marketplace:' || refund_id as refund_id,
        'marketplace:' || order_id as order_id,
        'marketplace:' || order_line_id as order_line_id,
        refund_amount,
        refund_units,
        reason as refund_reason,
        refunded_at
    from source
)

select * from renamed
