{% macro rfm_score(rank, value, cuts, more_is_better=true) -%}
    {#-
        A score from 1 to 5: by the merchant's fixed cuts where the policy `cuts` lists four of them (ascending, the
        lower bound of the next class), else 1 + floor(5 × percent rank), the top rank staying in class 5.
    -#}
    {%- set above = '>=' if more_is_better else '<' -%}
cast(
    case
        when {{ policy(cuts, 1) }} is null then least(1 + floor(5 * {{ rank }}), 5)
        else
            1
            {%- for position in range(1, 5) %}
            + case when {{ value }} {{ above }} {{ policy(cuts, position) }} then 1 else 0 end
            {%- endfor %}
    end as integer
)
{%- endmacro %}
