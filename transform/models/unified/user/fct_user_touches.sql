-- One row a message to a person, of any silo.
with
touches as (
    {{ unify(
        [
            'int_complete_journey__touches',
            'int_crm__touches',
        ],
        computed=['user_id', 'channel_group'],
    ) | indent(4) }}
),

final as (
    select
        touches.*,
        identities.user_id,
        channels.channel_group
    from touches
    {{ join_user('touches') }}
    {{ join_channel('touches') }}
)

select * from final
