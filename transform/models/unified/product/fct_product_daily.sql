-- SKU by day, where it was sold, refunded, looked at, put into a cart, pictured in stock or offered by a competitor.
{%- do find_changed_sku_days() %}
{%- set measures = ['sold', 'refunded', 'browsed', 'stocked', 'compared'] %}
with
lines as (
    {{ only_changed(ref('fct_order_lines'), 'sku_day', "concat(sku_id, ' ', paid_date)", date='paid_date') }}
),

refunds as (
    {{ only_changed(ref('fct_refunds'), 'sku_day', "concat(sku_id, ' ', refunded_date)", date='refunded_date') }}
),

events as (
    {{ only_changed(ref('fct_user_events'), 'sku_day', "concat(sku_id, ' ', event_date)", date='event_date') }}
),

inventory as (
    {{ only_changed(ref('fct_inventory_daily'), 'sku_day', "concat(sku_id, ' ', stock_date)", date='stock_date') }}
),

competitor_prices as (
    {{ only_changed(ref('fct_competitor_prices'), 'sku_day', "concat(sku_id, ' ', listed_date)", date='listed_date') }}
),

-- Open ends become moments, because an engine cannot hash-join on "or is null".
products as (
    select
        sku_id,
        list_amount,
        coalesce(valid_from, cast('0001-01-01' as timestamp)) as valid_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as valid_to
    from {{ ref('dim_products') }}
),

policies as (
    select * from {{ policies_over_time(['competitor_match_score']) }}
),

sold as (
    select
        sku_id,
        paid_date as activity_date,
        sum(units) as units,
        sum(paid_amount) as paid_amount,
        -- One unknown cost makes the day's margin unknown.
        case when count(*) = count(ordered_cost_amount) then sum(ordered_cost_amount) end as cost_amount
    from lines
    where is_paid and sku_id is not null
    group by sku_id, paid_date
),

refunded as (
    select
        sku_id,
        refunded_date as activity_date,
        sum(refund_amount) as refund_amount,
        case when count(*) = count(cost_amount) then sum(cost_amount) end as cost_amount
    from refunds
    where sku_id is not null
    group by sku_id, refunded_date
),

browsed as (
    select
        sku_id,
        event_date as activity_date,
        sum(case when event_type = 'product_view' then 1 else 0 end) as views,
        sum(case when event_type = 'add_to_cart' then 1 else 0 end) as carts
    from events
    where sku_id is not null and event_type in ('product_view', 'add_to_cart')
    group by sku_id, event_date
),

stocked as (
    select
        sku_id,
        stock_date as activity_date,
        sum(on_hand_units) as stock_units
    from inventory
    group by sku_id, stock_date
),

compared as (
    select
        competitor_prices.sku_id,
        competitor_prices.listed_date as activity_date,
        min(competitor_prices.price_amount) as lowest_competitor_amount
    from competitor_prices
    inner join policies on {{ policies_hold('competitor_prices.listed_date') }}
    where
        competitor_prices.sku_id is not null
        and competitor_prices.match_score >= policies.competitor_match_score
    group by competitor_prices.sku_id, competitor_prices.listed_date
),

connected as (
    select exists(select 1 from {{ ref('fct_user_events') }}) as has_events
),

sku_days as (
    {%- for measure in measures %}
    select
        sku_id,
        activity_date
    from {{ measure }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

joined as (
    select
        sku_days.sku_id,
        sku_days.activity_date,
        case when connected.has_events then coalesce(browsed.views, 0) end as views,
        case when connected.has_events then coalesce(browsed.carts, 0) end as carts,
        coalesce(sold.units, 0) as units,
        coalesce(sold.paid_amount, 0) as paid_amount,
        coalesce(refunded.refund_amount, 0) as refund_amount,
        -- What was paid costs on the day of the payment, and what comes back no longer does on that of the refund.
        case when sold.sku_id is null then 0 else sold.cost_amount end
        - case when refunded.sku_id is null then 0 else refunded.cost_amount end as cost_amount,
        stocked.stock_units,
        products.list_amount as list_price_amount,
        compared.lowest_competitor_amount
    from sku_days
    cross join connected
    {%- for measure in measures %}
    left join {{ measure }}
        on
            sku_days.sku_id = {{ measure }}.sku_id
            and sku_days.activity_date = {{ measure }}.activity_date
    {%- endfor %}
    left join products
        on
            sku_days.sku_id = products.sku_id
            and products.valid_from < {{ date_begin(add_days('sku_days.activity_date', 1)) }}
            and products.valid_to >= {{ date_begin(add_days('sku_days.activity_date', 1)) }}
),

final as (
    select
        sku_id,
        activity_date,
        cast(views as bigint) as views,
        cast(carts as bigint) as carts,
        cast(units as bigint) as units,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(paid_amount - refund_amount as decimal(18, 2)) as net_revenue_amount,
        cast(paid_amount - refund_amount - cost_amount as decimal(18, 2)) as gross_margin_amount,
        cast(stock_units as bigint) as stock_units,
        {{ average_amount('paid_amount', 'units') }} as average_unit_amount,
        cast(list_price_amount as decimal(18, 2)) as list_price_amount,
        cast(lowest_competitor_amount as decimal(18, 2)) as lowest_competitor_amount
    from joined
)

select * from final
order by activity_date asc nulls last
