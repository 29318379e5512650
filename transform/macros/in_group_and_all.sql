{% macro in_group_and_all(relation) -%}
    {#-
        Each row twice: in its channel group and in 'all', because distinct persons do not add up over groups. What is
        of a channel that the seed lacks, or of none, is a group of its own, 'unknown': so groups add up to all.
    -#}
select
        *,
        coalesce(channel_group, 'unknown') as kpi_group
    from {{ relation }}
    union all
    select
        *,
        'all' as kpi_group
    from {{ relation }}
{%- endmacro %}
