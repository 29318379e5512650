-- One row a payment of any silo; buyer and channel are its order's.
with
payments as (
    {{ unify(
        [
            'int_complete_journey__payments',
            'stg_storefront__payments',
            'int_marketplace__payments',
            'int_live__payments',
            'int_stores__payments',
            'int_olist__payments',
        ],
        computed=['user_id', 'source_user_id', 'channel', 'channel_group', 'paid_date'],
    ) | indent(4) }}
),

orders as (
    select * from {{ ref('int_orders_unioned') }}
),

final as (
    select
        payments.*,
        identities.user_id,
        orders.source_user_id,
        orders.channel,
        channels.channel_group,
        {{ business_date('payments.paid_at') }} as paid_date
    from payments
    left join orders on payments.order_id = orders.order_id
    {{ join_user('orders') }}
    {{ join_channel('orders') }}
)

select * from final
