{% macro cumulative_share(contribution, partition) -%}
    {#-
        The share of all that comes before the row, from the greatest contribution down; ties by SKU. NULL where the
        row's own contribution is unknown.
    -#}
{%- set partition_by = partition | join(', ') -%}
case when {{ contribution }} is not null then {{ rate(
    'coalesce(sum(' ~ contribution ~ ') over (partition by ' ~ partition_by ~ ' order by ' ~ contribution
    ~ ' desc nulls last, sku_id asc rows between unbounded preceding and 1 preceding), 0)',
    'sum(' ~ contribution ~ ') over (partition by ' ~ partition_by ~ ')'
) }} end
{%- endmacro %}


{% macro abc_class(amount, share_before) -%}
    {#- The class by the shares that the row has of the policies abc_a_share and abc_b_share. -#}
case
    when {{ amount }} is null then null
    when {{ amount }} <= 0 then 'C'
    when {{ share_before }} < abc_a_share then 'A'
    when {{ share_before }} < abc_b_share then 'B'
    else 'C'
end
{%- endmacro %}
