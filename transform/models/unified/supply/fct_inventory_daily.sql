-- Stock of a SKU in a warehouse at a day's end, of any silo, valued at the cost that held then.
with
inventory as (
    {{ unify(['stg_erp__inventory'], computed=['inventory_value_amount']) | indent(4) }}
),

-- Open ends become moments, because an engine cannot hash-join on "or is null".
products as (
    select
        sku_id,
        cost_amount,
        coalesce(valid_from, cast('0001-01-01' as timestamp)) as valid_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from {{ ref('dim_products') }}
),

final as (
    select
        inventory.*,
        cast(inventory.on_hand_units * products.cost_amount as decimal(18, 2)) as inventory_value_amount
    from inventory
    left join products
        on
            inventory.sku_id = products.sku_id
            and products.valid_from < {{ date_begin(add_days('inventory.stock_date', 1)) }}
            and products.valid_to >= {{ date_begin(add_days('inventory.stock_date', 1)) }}
)

select * from final
order by stock_date asc nulls last
