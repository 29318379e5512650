{#-
    Models that are rebuilt by entity (docs/decisions/0019-what-changed.md). The platform keeps the ids of what changed
    in the schema `changes`, one table `changed_<entity>` each, and shows only the raw rows of those.
-#}

{% macro is_by_entity() -%}
    {#- Whether only the rows of changed entities are made anew; never in a unit test. -#}
    {{- return(execute and model.resource_type == 'model' and is_incremental()) -}}
{%- endmacro %}


{% macro changed_ids(entity) -%}
    {#- The ids of the entities that changed. -#}
(select changed.entity_id from changes.changed_{{ entity }} as changed)
{%- endmacro %}


{% macro only_changed(relation, entity, id, date=none) -%}
    {#-
        Of a relation's rows those of the entities that changed; all of them where everything is built.
        Give `date` where the rows lie on the changed entities' own dates: then the others are not even looked at.
        Dates of which much changed are read as they are; of the others the rows are found first.
    -#}
select * from {{ relation }}
    {%- if is_by_entity() and not date %}
where {{ found_by(relation, is_changed(entity, id)) }}
    {%- elif is_by_entity() %}
where {{ is_changed(entity, id, date, much=true) }}
union all
select * from {{ relation }}
where {{ found_by(relation, is_changed(entity, id, date, much=false)) }}
    {%- endif %}
{%- endmacro %}


{% macro is_changed(entity, id, date=none, much=none) -%}
    {#- Whether a row is of an entity that changed. -#}
{{ id }} in {{ changed_ids(entity) }}{% if date %} and {{ date }} in ({{ changed_dates(entity, much) }}){% endif %}
{%- endmacro %}


{% macro changed_rows(relation) -%}
    {#-
        A model of the calling model's own entity, which therefore has just been made: where only changed entities are
        built, what was made of them, so that nothing has to be looked up in the whole of it.
    -#}
    {%- if is_by_entity() -%}
(select made.* from changes.{{ relation.identifier }} as made where made.is_new)
    {%- else -%}
{{ relation }}
    {%- endif -%}
{%- endmacro %}


{% macro changed_dates(entity, much=none) -%}
    {#-
        The dates of the changed entities as literals, which tell an engine what it need not read. Given `much`, those
        with a thousand changed entities, or half of the most that one has, if that is less (true), or the others.
    -#}
    {%- set query -%}
with
counted as (
    select
        entity_date,
        count(*) as entities
    from changes.changed_{{ entity }}
    where entity_date is not null
    group by entity_date
)

select entity_date
from counted
        {%- if much is not none %}
where entities {{ '>=' if much else '<' }} (select least(1000, max(entities) / 2) from counted)
        {%- endif %}
    {%- endset -%}
    {%- set dates = run_query(query).columns[0].values() | list if execute else [] -%}
    {%- for date in dates | sort -%}
date '{{ date }}'{{ ', ' if not loop.last }}
    {%- else -%}
null
    {%- endfor -%}
{%- endmacro %}


{% macro moved_rows(columns) -%}
    {#-
        The calling model's own rows of dated entities that moved to another person or another cost: nothing landed of
        them, so their raw rows need not be read again.
    -#}
    {%- set entity = config.get('meta')['entity'] -%}
    {%- if is_by_entity() and entity['is_dated'] %}
union all
select
        {%- for column in columns %}
    {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
from {{ this }}
where
        {%- set moved %}
    {{ entity['id'] }} in (
        select moved.entity_id from changes.changed_{{ entity['name'] }} as moved where moved.is_moved
    )
    and {{ config.get('meta')['partition_column'] }} in ({{ changed_dates(entity['name']) }})
        {%- endset %}
    {{ found_by(this, moved) }}
    {%- endif %}
{%- endmacro %}


{% macro is_followed(name) -%}
    {#- Whether some model asks what became of another's rows. -#}
    {%- set followed = [] -%}
    {%- for node in graph.nodes.values() if node.config.materialized == 'incremental' -%}
        {%- do followed.extend(node.config.meta['entity'].get('follows', [])) -%}
    {%- endfor -%}
    {{- return(name in followed) -}}
{%- endmacro %}


{% macro get_incremental_changed_sql(arguments) -%}
    {#-
        Puts the rows of changed entities in the place of the old ones. Keeps the new ones, and the old ones where a
        model follows.
    -#}
    {%- set target, fresh = arguments['target_relation'], arguments['temp_relation'] -%}
    {%- set entity = config.get('meta')['entity'] -%}
    {%- set date = config.get('meta')['partition_column'] if entity['is_dated'] else none -%}
    {%- set touched = is_changed(entity['name'], entity['id'], date) -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- set found = 'changes.found_' ~ target.identifier -%}
{{ find_rows(target, found, touched) }}
create or replace table changes.{{ target.identifier }} as
    {%- if is_followed(target.identifier) %}
select {{ columns }}, false as is_new from {{ target }} where {{ is_found(found, touched) }}
union all
    {%- endif %}
select {{ columns }}, true as is_new from {{ fresh }} where {{ touched }};
delete from {{ target }} where {{ is_found(found, touched) }};
insert into {{ target }} ({{ columns }})
select {{ columns }} from {{ fresh }} where {{ touched }}
{%- endmacro %}


{% macro find_changed_sessions() -%}
    {#- Sessions of changed events and orders, with each of their dates. -#}
    {%- if is_by_entity() -%}
        {%- set query -%}
create or replace table changes.changed_session as
with
touched as (
    select
        session_id,
        event_date
    from changes.fct_user_events
    union
    select
        session_id,
        null
    from changes.fct_orders
)

select
    session_id as entity_id,
    event_date as entity_date
from touched
where session_id is not null
union
select
    session_id,
    {{ each_day('session_date', business_date('ended_at')) }}
from {{ this }}
where session_id in (select session_id from touched)
        {%- endset -%}
        {%- do run_query(query) -%}
    {%- endif -%}
{%- endmacro %}


{% macro within_dates_again() -%}
    {#- Whether a date is one of those that are to be built again, changed or not; literals, as in changed_dates. -#}
    {%- set dates = run_query('select first_date, last_date from changes.dates_again').rows[0] -%}
    {%- if dates[0] -%}
between date '{{ dates[0] }}' and date '{{ dates[1] }}'
    {%- else -%}
is null and false
    {%- endif -%}
{%- endmacro %}


{% macro find_changed_sku_days() -%}
    {#-
        Days of a SKU on which something was sold, refunded, looked at, counted or compared that was not before; those
        since another version of it holds; and those that are to be built again.
    -#}
    {%- if is_by_entity() -%}
        {%- set query -%}
create or replace table changes.changed_sku_day as
        {%- for model, date, values in [
            ('fct_order_lines', 'paid_date', 'units, paid_amount, ordered_cost_amount, is_paid'),
            ('fct_refunds', 'refunded_date', 'refund_amount, cost_amount'),
            ('fct_user_events', 'event_date', 'event_type'),
            ('fct_inventory_daily', 'stock_date', 'on_hand_units'),
            ('fct_competitor_prices', 'listed_date', 'price_amount, match_score'),
        ] %}
select
    concat(sku_id, ' ', {{ date }}) as entity_id,
    {{ date }} as entity_date
from (
            {%- for is_new in ['true', 'false'] %}
    (
        select sku_id, {{ date }}, {{ values }} from changes.{{ model }} where is_new = {{ is_new }}
        except all
        select sku_id, {{ date }}, {{ values }} from changes.{{ model }} where is_new <> {{ is_new }}
    )
    {{ 'union all' if not loop.last }}
            {%- endfor %}
)
where sku_id is not null and {{ date }} is not null
union
select
    concat(sku_id, ' ', {{ date }}),
    {{ date }}
from changes.{{ model }}
where sku_id is not null and {{ date }} {{ within_dates_again() }}
union
        {%- endfor %}
select
    concat(days.sku_id, ' ', days.activity_date),
    days.activity_date
from {{ this }} as days
inner join changes.changed_products as products
    on days.sku_id = products.sku_id and cast(days.activity_date as timestamp) >= products.changed_from
union
select
    concat(sku_id, ' ', activity_date),
    activity_date
from {{ this }}
where activity_date {{ within_dates_again() }}
        {%- endset -%}
        {%- do run_query(query) -%}
    {%- endif -%}
{%- endmacro %}


{% macro find_changed_user_days() -%}
    {#- Days of a person on which events came, went or changed hands. -#}
    {%- if is_by_entity() -%}
        {%- set query -%}
create or replace table changes.changed_user_day as
select distinct
    concat(user_id, ' ', event_date) as entity_id,
    event_date as entity_date
from changes.fct_user_events
where user_id is not null
        {%- endset -%}
        {%- do run_query(query) -%}
    {%- endif -%}
{%- endmacro %}


{% macro renumber_orders() -%}
    {#-
        An order that came, went or changed hands moves the number of each later one of its buyers. Whose it was, the
        old rows tell, which are kept because sessions follow orders.
    -#}
    {%- if is_by_entity() %}
        {%- set query -%}
create or replace table changes.renumbered_orders as
with
numbered as (
    select
        order_id,
        user_order_number as old_number,
        case
            when is_paid and user_id is not null then row_number() over (
                partition by user_id, is_paid
                order by paid_at asc nulls last, order_id asc nulls last
            )
        end as user_order_number
    from {{ this }}
    where user_id in (select user_id from changes.fct_orders)
)

select
    order_id,
    user_order_number
from numbered
where user_order_number is distinct from old_number
        {%- endset -%}
        {%- do run_query(query) -%}
update {{ this }} set user_order_number = numbered.user_order_number
from (select order_id, user_order_number from changes.renumbered_orders) as numbered
where
    {{ this }}.order_id = numbered.order_id
    and {{ found_by(this, 'order_id in (select moved.order_id from changes.renumbered_orders as moved)') }}
    {%- endif %}
{%- endmacro %}
