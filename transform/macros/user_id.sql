{% macro user_id(identity) -%}
    {#- The id of the person whose earliest landed identity this is. -#}
concat('u', substring(md5(concat({{ identity }}.silo, ':', {{ identity }}.source_id)), 1, 16))
{%- endmacro %}
