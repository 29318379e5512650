{% test primary_key(model, columns) %}
    {#- A table's key in one scan: the rows whose key is not unique or has an empty part. -#}
select
    {{ columns | join(', ') }},
    count(*) as rows_with_this_key
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
