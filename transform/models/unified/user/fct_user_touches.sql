-- One row a message to a person, of any silo.
with
touches as (
    {{ unify(['int_complete_journey__touches'], computed=['user_id', 'channel_group']) | indent(4) }}
),

identities as (
    select * from {{ ref('bridge_user_identities') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

joined as (
    select
        touches.*,
        identities.user_id,
        channels.channel_group
    from touches
    left join identities
        on
            touches.silo = identities.silo
            and touches.source_user_id = identities.source_id
    left join channels on touches.channel = channels.channel
)

select * from joined
