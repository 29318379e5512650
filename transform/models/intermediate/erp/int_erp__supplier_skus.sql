-- One row a version of what a supplier agreed to for a SKU; none while it does not deliver it.
with
supplier_terms as (
    select * from {{ ref('stg_erp__supplier_terms') }}
),

final as (
    select
        supplier_id || ' ' || sku_id || '@' || cast(version_number as string) as supplier_sku_version_id,
        supplier_id,
        sku_id,
        silo,
        lead_time_days,
        minimum_order_units,
        price_amount,
        response_hours,
        updated_at,
        valid_from,
        valid_to,
        is_current
    from supplier_terms
    where not is_ended
)

select * from final
