{% macro city_key(column) -%}
    {#-
        What a typed city is joined by: no spaces (nor the wide one), lower case, without the ending that people write or
        leave out: 广州市, 广州 and ' 广州 ' are one, and so are 阿拉善盟 and 阿拉善. Both sides of a join take it. NULL
        stays NULL; what is empty becomes NULL, so that it joins nothing.
    -#}
    {%- set key = "lower(replace(replace(trim(" ~ column ~ "), ' ', ''), '　', ''))" -%}
case
    when {{ key }} = '' then null
    {%- for ending in ['自治州', '地区', '市', '盟'] %}
    when {{ key }} like '_%{{ ending }}' then substring({{ key }}, 1, length({{ key }}) - {{ ending | length }})
    {%- endfor %}
    else {{ key }}
end
{%- endmacro %}
