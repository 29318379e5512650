-- One row a SKU of a purchase order, with the moments of its order and of its first shipping notice.
with
purchase_lines as (
    select * from {{ ref('stg_erp__purchase_lines') }}
),

purchase_orders as (
    select * from {{ ref('stg_erp__purchase_orders') }}
),

asn as (
    select * from {{ ref('stg_erp__asn') }}
),

shipped as (
    select
        purchase_line_id,
        min(shipped_at) as shipped_at,
        sum(shipped_units) as shipped_units
    from asn
    group by purchase_line_id
),

final as (
    select
        purchase_lines.purchase_line_id,
        purchase_lines.purchase_order_id,
        purchase_lines.silo,
        purchase_orders.supplier_id,
        purchase_lines.sku_id,
        purchase_orders.warehouse_id,
        purchase_orders.supply_mode,
        purchase_orders.purchase_status,
        purchase_lines.ordered_units,
        coalesce(shipped.shipped_units, 0) as shipped_units,
        purchase_lines.unit_amount,
        purchase_orders.triggered_at,
        purchase_lines.created_at,
        {{ business_date('purchase_lines.created_at') }} as created_date,
        purchase_orders.confirmed_at,
        shipped.shipped_at,
        purchase_lines.promised_date
    from purchase_lines
    left join purchase_orders on purchase_lines.purchase_order_id = purchase_orders.purchase_order_id
    left join shipped on purchase_lines.purchase_line_id = shipped.purchase_line_id
)

select * from final
