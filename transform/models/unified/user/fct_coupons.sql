-- One row a coupon in a person's hand, of any silo.
with
coupons as (
    {{ unify(
        [
            'int_complete_journey__redeemed_coupons',
            'int_storefront__coupons',
        ],
        computed=['user_id', 'channel_group'],
    ) | indent(4) }}
),

final as (
    select
        coupons.*,
        identities.user_id,
        channels.channel_group
    from coupons
    {{ join_user('coupons') }}
    {{ join_channel('coupons') }}
)

select * from final
