{% macro join_user(relation, silo=none) -%}
    {#-
        Joins `identities`, whose user_id is the person behind a row's silo and source_user_id; NULL for a stranger.
        Give `silo` where the person is known in another silo than the row's own.
    -#}
left join {{ ref('bridge_user_identities') }} as identities
        on
            {{ "'" ~ silo ~ "'" if silo else relation ~ '.silo' }} = identities.silo
            and {{ relation }}.source_user_id = identities.source_id
{%- endmacro %}


{% macro join_channel(relation) -%}
    {#- Joins `channels`, whose channel_group is that of a row's channel; NULL for a channel that the seed lacks. -#}
left join {{ ref('dim_channels') }} as channels on {{ relation }}.channel = channels.channel
{%- endmacro %}


{% macro join_region(relation, city) -%}
    {#- Joins `regions`, whose region_id is that of the city as somebody typed it; NULL where no city is called so. -#}
left join {{ ref('int_city_regions') }} as regions on {{ city_key(relation ~ '.' ~ city) }} = regions.city_key
{%- endmacro %}
