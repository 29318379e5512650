{% macro generate_schema_name(custom_schema_name, node) %}
    {#- Schemas are called what the documents call them, without the target's prefix. -#}
    {{ custom_schema_name or target.schema }}
{% endmacro %}
