{#-
    The only place where engines differ. Each macro has a DuckDB form and a Spark form that mean the same;
    models use nothing else that one engine has and the other lacks.
-#}

{% macro business_date(moment) %}{{ return(adapter.dispatch('business_date')(moment)) }}{% endmacro %}

{% macro duckdb__business_date(moment) -%}
cast(timezone('{{ var("time_zone") }}', timezone('UTC', {{ moment }})) as date)
{%- endmacro %}

{% macro spark__business_date(moment) -%}
cast(from_utc_timestamp({{ moment }}, '{{ var("time_zone") }}') as date)
{%- endmacro %}


{#- The UTC moment at which a business date begins. -#}
{% macro date_begin(date) %}{{ return(adapter.dispatch('date_begin')(date)) }}{% endmacro %}

{% macro duckdb__date_begin(date) -%}
timezone('UTC', timezone('{{ var("time_zone") }}', cast({{ date }} as timestamp)))
{%- endmacro %}

{% macro spark__date_begin(date) -%}
to_utc_timestamp(cast({{ date }} as timestamp), '{{ var("time_zone") }}')
{%- endmacro %}


{#- Whole days from the first date to the second; negative where the second is earlier. -#}
{% macro days_between(first, second) %}{{ return(adapter.dispatch('days_between')(first, second)) }}{% endmacro %}

{% macro duckdb__days_between(first, second) -%}
cast(date_diff('day', {{ first }}, {{ second }}) as integer)
{%- endmacro %}

{% macro spark__days_between(first, second) -%}
cast(datediff({{ second }}, {{ first }}) as integer)
{%- endmacro %}


{#- Calendar months from the first date's month to the second's: January 31 to February 1 is one. -#}
{% macro months_between(first, second) -%}
cast(
    (extract(year from {{ second }}) - extract(year from {{ first }})) * 12
    + extract(month from {{ second }}) - extract(month from {{ first }}) as integer
)
{%- endmacro %}


{% macro add_days(date, days) %}{{ return(adapter.dispatch('add_days')(date, days)) }}{% endmacro %}

{% macro duckdb__add_days(date, days) -%}
({{ date }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(date, days) -%}
date_add({{ date }}, cast({{ days }} as integer))
{%- endmacro %}


{#- A date some calendar months later (or earlier), the day capped at the month's end. -#}
{% macro add_months(date, months) %}{{ return(adapter.dispatch('add_months')(date, months)) }}{% endmacro %}

{% macro duckdb__add_months(date, months) -%}
cast({{ date }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(date, months) -%}
add_months({{ date }}, cast({{ months }} as integer))
{%- endmacro %}


{% macro month_begin(date) -%}
cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}


{#- ISO weekday: Monday is 1, Sunday is 7. -#}
{% macro iso_weekday(date) %}{{ return(adapter.dispatch('iso_weekday')(date)) }}{% endmacro %}

{% macro duckdb__iso_weekday(date) -%}
cast(isodow({{ date }}) as integer)
{%- endmacro %}

{% macro spark__iso_weekday(date) -%}
cast(extract(dayofweek_iso from {{ date }}) as integer)
{%- endmacro %}


{#- A select item: one row for each day from the first to the last, both included. -#}
{% macro each_day(first, last) %}{{ return(adapter.dispatch('each_day')(first, last)) }}{% endmacro %}

{% macro duckdb__each_day(first, last) -%}
cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date)
{%- endmacro %}

{% macro spark__each_day(first, last) -%}
explode(sequence({{ first }}, {{ last }}, interval 1 day))
{%- endmacro %}


{#- numerator / denominator as a double; NULL where the denominator is 0. -#}
{% macro rate(numerator, denominator) -%}
cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}


{#-
    amount / count, rounded half up to cents; NULL where the count is 0. A double just misses a half cent (2.01 / 2 is
    1.00499…), and engines then round it differently, so it passes through a decimal that restores it.
-#}
{% macro average_amount(amount, count) -%}
cast(cast({{ rate(amount, count) }} as decimal(28, 10)) as decimal(18, 2))
{%- endmacro %}


{#-
    An aggregate: of the rows that have the value, the one of the earliest moment; of several at that moment, the one
    with the smallest id. Moment and id are not NULL where the value is not.
-#}
{% macro earliest(value, moment, id) %}{{ return(adapter.dispatch('earliest')(value, moment, id)) }}{% endmacro %}

{% macro duckdb__earliest(value, moment, id) -%}
arg_min({{ value }}, struct_pack(at := {{ moment }}, id := {{ id }}))
{%- endmacro %}

{% macro spark__earliest(value, moment, id) -%}
min_by({{ value }}, case when {{ value }} is not null then struct({{ moment }}, {{ id }}) end)
{%- endmacro %}


{#-
    Which rows of a relation meet a condition, told by reading the condition's own columns alone. DuckDB fetches wide
    rows by their addresses, whatever lies between them; elsewhere it is the condition.
-#}
{% macro found_by(relation, condition) %}
    {{- return(adapter.dispatch('found_by')(relation, condition)) }}
{% endmacro %}

{% macro duckdb__found_by(relation, condition) -%}
rowid in (select looked_through.rowid from {{ relation }} as looked_through where {{ condition }})
{%- endmacro %}

{% macro spark__found_by(relation, condition) -%}
{{ condition }}
{%- endmacro %}


{#- The same, kept in a table for the statements of one transaction: addresses move when a table is tidied up. -#}
{% macro find_rows(relation, found, condition) %}
    {{- return(adapter.dispatch('find_rows')(relation, found, condition)) }}
{% endmacro %}

{% macro duckdb__find_rows(relation, found, condition) -%}
create or replace table {{ found }} as select rowid as row_address from {{ relation }} where {{ condition }};
{%- endmacro %}

{% macro spark__find_rows(relation, found, condition) -%}
{%- endmacro %}


{#- Whether a row was found by find_rows. -#}
{% macro is_found(found, condition) %}{{ return(adapter.dispatch('is_found')(found, condition)) }}{% endmacro %}

{% macro duckdb__is_found(found, condition) -%}
rowid in (select found.row_address from {{ found }} as found)
{%- endmacro %}

{% macro spark__is_found(found, condition) -%}
{{ condition }}
{%- endmacro %}
