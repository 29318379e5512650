{% macro policy(name, position=1) -%}
    {#-
        The value of a policy (merchants/policies.yml) that holds at as_of; of a list, the value at `position`. For
        what is told of as_of; what is told of a day in the past reads `policies_over_time`.
    -#}
(
    select policies.policy_value
    from {{ ref('dim_policies') }} as policies
    where
        policies.policy = '{{ name }}'
        and policies.position = {{ position }}
        and policies.is_current
)
{%- endmacro %}


{% macro policies_over_time(names) -%}
    {#-
        Policies of one number as columns of their names, a row for each period in which none of them changes:
        effective_from and effective_to as in dim_policies. Join it by `policies_hold`.
    -#}
{%- set listed = "('" ~ names | join("', '") ~ "')" -%}
(
    select
        changes.effective_from,
        lead(changes.effective_from) over (order by changes.effective_from asc nulls last) as effective_to,
        {%- for name in names %}
        max(case when policies.policy = '{{ name }}' then policies.policy_value end)
            as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select distinct effective_from
        from {{ ref('dim_policies') }}
        where policy in {{ listed }}
    ) as changes
    inner join {{ ref('dim_policies') }} as policies
        on
            changes.effective_from >= policies.effective_from
            and (policies.effective_to is null or changes.effective_from < policies.effective_to)
    where policies.policy in {{ listed }} and policies.position = 1
    group by changes.effective_from
)
{%- endmacro %}


{% macro policies_hold(day, policies='policies') -%}
{{ day }} >= {{ policies }}.effective_from
and ({{ policies }}.effective_to is null or {{ day }} < {{ policies }}.effective_to)
{%- endmacro %}
