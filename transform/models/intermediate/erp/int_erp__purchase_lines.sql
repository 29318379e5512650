-- One row a SKU of a purchase order: the moments of its order and first shipping notice, the terms that held then.
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

-- Open ends become moments, because an engine cannot hash-join on "or is null".
terms as (
    select
        supplier_id,
        sku_id,
        lead_time_days,
        minimum_order_units,
        price_amount,
        response_hours,
        coalesce(valid_from, cast('0001-01-01' as timestamp)) as valid_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from {{ ref('int_erp__supplier_skus') }}
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
        purchase_lines.promised_date,
        terms.lead_time_days as agreed_lead_time_days,
        terms.minimum_order_units as agreed_minimum_order_units,
        terms.price_amount as agreed_unit_amount,
        terms.response_hours as agreed_response_hours
    from purchase_lines
    left join purchase_orders on purchase_lines.purchase_order_id = purchase_orders.purchase_order_id
    left join shipped on purchase_lines.purchase_line_id = shipped.purchase_line_id
    left join terms
        on
            purchase_orders.supplier_id = terms.supplier_id
            and purchase_lines.sku_id = terms.sku_id
            and terms.valid_from <= purchase_lines.created_at
            and terms.valid_to > purchase_lines.created_at
)

select * from final
