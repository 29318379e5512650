-- One row a transfer between warehouses, on the business date on which it left.
with
stock_transfers as (
    select * from {{ ref('stg_erp__stock_transfers') }}
),

final as (
    select
        transfer_id,
        silo,
        from_warehouse_id,
        to_warehouse_id,
        sku_id,
        units,
        shipped_at,
        {{ business_date('shipped_at') }} as shipped_date,
        received_at,
        cost_amount
    from stock_transfers
)

select * from final
