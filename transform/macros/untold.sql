{% macro untold(columns, data_type='string') -%}
    {#- Select items for the columns that others bring and this silo does not tell. -#}
{%- for column in columns -%}
cast(null as {{ data_type }}) as {{ column }}{{ ',\n        ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}
