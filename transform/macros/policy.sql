{% macro policy(name, position=1) -%}
    {#- The value of a policy (merchants/policies.yml) that holds at as_of; of a list, the value at `position`. -#}
(
    select policies.policy_value
    from {{ ref('dim_policies') }} as policies
    where
        policies.policy = '{{ name }}'
        and policies.position = {{ position }}
        and policies.is_current
)
{%- endmacro %}
