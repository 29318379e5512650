-- One row a payment of any silo.
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
        computed=['paid_date'],
    ) | indent(4) }}
),

final as (
    select
        payments.*,
        {{ business_date('payments.paid_at') }} as paid_date
    from payments
)

select * from final
