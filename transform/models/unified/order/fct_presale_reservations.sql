-- One row a reservation of a SKU before its sale.
with
reservations as (
    {{ unify(
        ['stg_storefront__presale_reservations'],
        computed=['user_id', 'channel_group', 'reserved_date'],
    ) | indent(4) }}
),

final as (
    select
        reservations.*,
        identities.user_id,
        channels.channel_group,
        {{ business_date('reservations.reserved_at') }} as reserved_date
    from reservations
    {{ join_user('reservations') }}
    {{ join_channel('reservations') }}
)

select * from final
