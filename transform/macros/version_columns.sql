{% macro version_columns(key, moment='updated_at') -%}
    {#-
        Select items of a source that shows every version of a key (`history: true`): the version's number, from when to
        when it held, and whether it still does. What held before the first version is not told: the first counts as if
        it had always held (`valid_from` NULL).
    -#}
{%- set window = 'over (partition by ' ~ key ~ ' order by ' ~ moment ~ ' asc nulls last)' -%}
cast(row_number() {{ window }} as integer) as version_number,
        case when row_number() {{ window }} > 1 then {{ moment }} end as valid_from,
        lead({{ moment }}) {{ window }} as valid_to,
        lead({{ moment }}) {{ window }} is null as is_current
{%- endmacro %}
