-- One row a coupon in a person's hand, of any silo.
with
coupons as (
    {{ unify(['int_complete_journey__redeemed_coupons'], computed=['user_id', 'channel_group']) | indent(4) }}
),

identities as (
    select * from {{ ref('bridge_user_identities') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

joined as (
    select
        coupons.*,
        identities.user_id,
        channels.channel_group
    from coupons
    left join identities
        on
            coupons.silo = identities.silo
            and coupons.source_user_id = identities.source_id
    left join channels on coupons.channel = channels.channel
)

select * from joined
