{% macro repurchase_rate(days) -%}
    {#- Share of first orders at least `days` old whose buyer paid again within `days`; NULL where none is that old. -#}
{%- set is_old_enough = days_between('members.first_date', 'merchants.as_of_date') ~ ' >= ' ~ days -%}
{{ rate(
    'sum(case when ' ~ is_old_enough ~ ' and members.days_to_second <= ' ~ days ~ ' then 1 else 0 end)',
    'sum(case when ' ~ is_old_enough ~ ' then 1 else 0 end)'
) }}
{%- endmacro %}
