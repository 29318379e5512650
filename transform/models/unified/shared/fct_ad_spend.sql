-- One row a day, channel and campaign that was advertised, of any silo.
with
ad_spend as (
    {{ unify(['stg_marketing__ad_spend'], computed=['channel_group']) | indent(4) }}
),

final as (
    select
        ad_spend.*,
        channels.channel_group
    from ad_spend
    {{ join_channel('ad_spend') }}
)

select * from final
