-- One row a person who may be linked by a masked phone and a SKU that the person ordered.
with
records as (
    select distinct user_id
    from {{ ref('int_masked_phone_records') }}
),

bridge as (
    select * from {{ ref('bridge_user_identities') }}
),

orders as (
    select * from {{ ref('int_orders_unioned') }}
),

lines as (
    select * from {{ ref('int_order_lines_unioned') }}
),

final as (
    select distinct
        records.user_id,
        lines.sku_id
    from records
    inner join bridge on records.user_id = bridge.user_id
    inner join orders
        on
            bridge.silo = orders.silo
            and bridge.source_id = orders.source_user_id
    inner join lines on orders.order_id = lines.order_id
    where lines.sku_id is not null
)

select * from final
