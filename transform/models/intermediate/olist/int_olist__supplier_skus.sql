-- One row a SKU that a seller sold; on which terms is between the two and not told.
with
order_items as (
    select * from {{ ref('stg_olist__order_items') }}
),

final as (
    select distinct
        supplier_id || ' ' || sku_id as supplier_sku_version_id,
        supplier_id,
        sku_id,
        silo,
        {{ untold(['lead_time_days', 'response_hours'], 'double') }},
        {{ untold(['minimum_order_units'], 'bigint') }},
        {{ untold(['price_amount'], 'decimal(18, 2)') }},
        {{ untold(['valid_from', 'valid_to'], 'timestamp') }},
        true as is_current
    from order_items
)

select * from final
