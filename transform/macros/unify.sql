{% macro unify(models, computed=[]) %}
    {#-
        The columns that the calling model's YAML declares, from each of `models` that belongs to a connected silo
        (`stg_<silo>__…`, `int_<silo>__…`), as one relation; typed and empty where none is connected.
        This is how a missing silo becomes an empty table instead of a failure.
        Columns in `computed` are declared too, but the calling model adds them afterwards.
    -#}
    {%- set connected = [] -%}
    {%- for name in models -%}
        {%- set silo = name.split('__')[0].split('_', 1)[1] -%}
        {%- if silo in var('silos', []) -%}
            {%- do connected.append(ref(name)) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- dbt attaches the YAML to a model after parsing it, so there are no columns while parsing, nor while linting. -#}
    {%- set declared = model.columns.values() | list if execute else [] -%}
    {%- set columns = declared | rejectattr('name', 'in', computed) | list -%}
    {%- if not columns -%}
select 1 as placeholder
    {%- elif not connected -%}
select
        {%- for column in columns %}
    cast(null as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
where 1 = 0
    {%- else -%}
        {%- for relation in connected -%}
select
            {%- for column in columns %}
    cast({{ column.name }} as {{ column.data_type }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
from {{ relation }}
            {{- '\nunion all\n' if not loop.last }}
        {%- endfor -%}
        {{- moved_rows(columns) }}
    {%- endif -%}
{%- endmacro %}
