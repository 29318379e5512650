-- SKU × warehouse at the latest picture of stock: how much lies there, how fast it turns, how long it lasts, what is
-- dead. The window is the days up to that picture that the policy names, or those since the first picture if fewer.
with
inventory as (
    select * from {{ ref('fct_inventory_daily') }}
),

shipments as (
    select * from {{ ref('fct_shipments') }}
),

lines as (
    select * from {{ ref('fct_order_lines') }}
),

products as (
    select * from {{ ref('dim_products') }}
    where is_current
),

categories as (
    select * from {{ ref('dim_categories') }}
),

warehouses as (
    select * from {{ ref('dim_warehouses') }}
),

benchmarks as (
    select * from {{ ref('fct_industry_benchmarks') }}
),

pictures as (
    select
        min(stock_date) as first_date,
        max(stock_date) as last_date
    from inventory
),

windows as (
    select
        last_date,
        greatest(first_date, {{ add_days('last_date', '1 - ' ~ policy('turnover_window_days')) }}) as begin_date
    from pictures
),

picture_days as (
    select
        count(distinct inventory.stock_date) as days_with_picture,
        min({{ days_between('windows.begin_date', 'windows.last_date') }} + 1) as window_days
    from inventory
    cross join windows
    where inventory.stock_date >= windows.begin_date
),

stocked as (
    select
        inventory.sku_id,
        inventory.warehouse_id,
        -- A day whose picture lacks the SKU had none of it. One unknown cost makes the average unknown.
        case
            when count(*) = count(inventory.inventory_value_amount) then sum(inventory.inventory_value_amount)
        end as summed_value_amount,
        sum(case when inventory.on_hand_units <= 0 then 1 else 0 end) as out_of_stock_days
    from inventory
    cross join windows
    where inventory.stock_date >= windows.begin_date
    group by inventory.sku_id, inventory.warehouse_id
),

latest as (
    select inventory.*
    from inventory
    inner join windows on inventory.stock_date = windows.last_date
),

first_stocked as (
    select
        sku_id,
        warehouse_id,
        min(stock_date) as first_stocked_date
    from inventory
    where on_hand_units > 0
    group by sku_id, warehouse_id
),

-- A parcel does not tell its lines: an order's goods count where its first parcel left.
parcels as (
    select
        order_id,
        {{ earliest('warehouse_id', 'shipped_at', 'shipment_id') }} as warehouse_id,
        min(shipped_date) as shipped_date
    from shipments
    group by order_id
),

left_lines as (
    select
        lines.sku_id,
        parcels.warehouse_id,
        parcels.shipped_date,
        lines.units,
        lines.cost_amount,
        parcels.shipped_date >= windows.begin_date as is_in_window
    from lines
    inner join parcels on lines.order_id = parcels.order_id
    inner join windows on parcels.shipped_date <= windows.last_date
),

sold as (
    select
        sku_id,
        warehouse_id,
        max(shipped_date) as last_sold_date,
        sum(case when is_in_window then units else 0 end) as units,
        case
            when sum(case when is_in_window and cost_amount is null then 1 else 0 end) = 0
                then sum(case when is_in_window then cost_amount else 0 end)
        end as cost_amount
    from left_lines
    group by sku_id, warehouse_id
),

numbered_benchmarks as (
    select
        benchmarks.category_id,
        benchmarks.macro_region,
        benchmarks.turnover_rate,
        row_number() over (
            partition by benchmarks.category_id, benchmarks.macro_region
            order by benchmarks.benchmark_month desc nulls last
        ) as newness
    from benchmarks
    inner join windows on benchmarks.benchmark_month <= windows.last_date
),

current_benchmarks as (
    select
        category_id,
        macro_region,
        turnover_rate
    from numbered_benchmarks
    where newness = 1
),

joined as (
    select
        stocked.sku_id,
        stocked.warehouse_id,
        windows.last_date as stock_date,
        products.category_id,
        warehouses.macro_region,
        -- What the latest picture no longer has is gone.
        coalesce(latest.on_hand_units, 0) as on_hand_units,
        coalesce(latest.locked_units, 0) as locked_units,
        coalesce(latest.in_transit_units, 0) as in_transit_units,
        case when latest.sku_id is null then 0 else latest.inventory_value_amount end as inventory_value_amount,
        picture_days.window_days,
        {{ average_amount('stocked.summed_value_amount', 'picture_days.days_with_picture') }}
            as average_inventory_amount,
        stocked.out_of_stock_days,
        coalesce(sold.units, 0) as units,
        case when sold.sku_id is null then 0 else sold.cost_amount end as cost_amount,
        coalesce(own_benchmarks.turnover_rate, parent_benchmarks.turnover_rate) as benchmark_turnover_rate,
        first_stocked.first_stocked_date,
        sold.last_sold_date,
        {{ policy('dead_stock_days') }} as dead_stock_days
    from stocked
    cross join windows
    cross join picture_days
    left join latest
        on
            stocked.sku_id = latest.sku_id
            and stocked.warehouse_id = latest.warehouse_id
    left join first_stocked
        on
            stocked.sku_id = first_stocked.sku_id
            and stocked.warehouse_id = first_stocked.warehouse_id
    left join sold
        on
            stocked.sku_id = sold.sku_id
            and stocked.warehouse_id = sold.warehouse_id
    left join products on stocked.sku_id = products.sku_id
    left join categories on products.category_id = categories.category_id
    left join warehouses on stocked.warehouse_id = warehouses.warehouse_id
    left join current_benchmarks as own_benchmarks
        on
            products.category_id = own_benchmarks.category_id
            and warehouses.macro_region = own_benchmarks.macro_region
    left join current_benchmarks as parent_benchmarks
        on
            categories.parent_category_id = parent_benchmarks.category_id
            and warehouses.macro_region = parent_benchmarks.macro_region
),

measured as (
    select
        *,
        greatest(on_hand_units - locked_units, 0) as available_units,
        {{ rate('cost_amount * 365', 'window_days * average_inventory_amount') }} as turnover_rate,
        on_hand_units > 0
        and {{ days_between('first_stocked_date', 'stock_date') }} >= dead_stock_days
        and (last_sold_date is null or {{ days_between('last_sold_date', 'stock_date') }} >= dead_stock_days)
            as is_dead_stock
    from joined
),

final as (
    select
        sku_id,
        warehouse_id,
        stock_date,
        category_id,
        macro_region,
        cast(on_hand_units as bigint) as on_hand_units,
        cast(locked_units as bigint) as locked_units,
        cast(available_units as bigint) as available_units,
        cast(in_transit_units as bigint) as in_transit_units,
        cast(inventory_value_amount as decimal(18, 2)) as inventory_value_amount,
        cast(window_days as integer) as window_days,
        average_inventory_amount,
        cast(units as bigint) as units,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        turnover_rate,
        benchmark_turnover_rate,
        turnover_rate - benchmark_turnover_rate as turnover_gap,
        {{ rate('available_units * window_days', 'units') }} as days_of_supply,
        cast(out_of_stock_days as integer) as out_of_stock_days,
        on_hand_units <= 0 as is_out_of_stock,
        first_stocked_date,
        last_sold_date,
        is_dead_stock
    from measured
)

select * from final
