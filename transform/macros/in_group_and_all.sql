{% macro in_group_and_all(relation) -%}
    {#- Each row twice: in its channel group and in 'all', because distinct persons do not add up over groups. -#}
select
        *,
        channel_group as kpi_group
    from {{ relation }}
    union all
    select
        *,
        'all' as kpi_group
    from {{ relation }}
{%- endmacro %}
