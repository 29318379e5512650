-- One row a line refunded.
with
source as (
    select * from {{ source('live', 'refunds') }}
),

renamed as (
    select
        'live' as silo,
        'live:' || refund_id as refund_id,
        'live:' || order_id as order_id,
        'live:' || order_line_id as order_line_id,
        refund_amount,
        refund_units,
        reason as refund_reason,
        refunded_at
    from source
)

select * from renamed
