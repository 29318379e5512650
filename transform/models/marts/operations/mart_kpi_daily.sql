-- Business date × channel group and 'all': every KPI by the names that all reports use, from the first day on which
-- something was counted. A day without orders has zeros; what no connected silo can tell is NULL.
{%- set measures = [
    'placed', 'paid', 'costs', 'refunded', 'visited', 'active', 'spent', 'attributed', 'attributed_refunds', 'stocked',
    'delivered',
] %}
with
merchants as (
    select * from {{ ref('dim_merchants') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

orders as (
    {{ in_group_and_all(ref('fct_orders')) }}
),

lines as (
    {{ in_group_and_all(ref('fct_order_lines')) }}
),

refunds as (
    {{ in_group_and_all(ref('fct_refunds')) }}
),

sessions as (
    {{ in_group_and_all(ref('fct_user_sessions')) }}
),

ad_spend as (
    {{ in_group_and_all(ref('fct_ad_spend')) }}
),

advertised_campaigns as (
    select distinct campaign_id
    from {{ ref('fct_ad_spend') }}
    where campaign_id is not null
),

shipments as (
    select * from {{ ref('fct_shipments') }}
),

inventory as (
    select * from {{ ref('fct_inventory_daily') }}
),

placed as (
    select
        kpi_group,
        placed_date as kpi_date,
        sum(gmv_amount) as gmv_amount,
        count(*) as placed_orders
    from orders
    group by kpi_group, placed_date
),

paid as (
    select
        kpi_group,
        paid_date as kpi_date,
        sum(paid_amount) as paid_amount,
        sum(units) as units,
        count(*) as paid_orders,
        count(distinct user_id) as buyers,
        count(distinct case when user_order_number = 1 then user_id end) as new_buyers
    from orders
    where is_paid
    group by kpi_group, paid_date
),

costs as (
    select
        kpi_group,
        paid_date as kpi_date,
        -- One unknown cost makes the day's cost unknown.
        case when count(*) = count(ordered_cost_amount) then sum(ordered_cost_amount) end as cost_amount
    from lines
    where is_paid
    group by kpi_group, paid_date
),

refunded as (
    select
        kpi_group,
        refunded_date as kpi_date,
        sum(refund_amount) as refund_amount,
        case when count(*) = count(cost_amount) then sum(cost_amount) end as cost_amount
    from refunds
    group by kpi_group, refunded_date
),

visited as (
    select
        kpi_group,
        session_date as kpi_date,
        count(*) as sessions,
        sum(case when paid_orders > 0 then 1 else 0 end) as paid_sessions,
        sum(case when carts > 0 then 1 else 0 end) as cart_sessions,
        sum(case when product_views > 0 then 1 else 0 end) as view_sessions
    from sessions
    group by kpi_group, session_date
),

active_persons as (
    select
        kpi_group,
        paid_date as kpi_date,
        user_id
    from orders
    where is_paid
    union
    select
        kpi_group,
        session_date as kpi_date,
        user_id
    from sessions
),

active as (
    select
        kpi_group,
        kpi_date,
        count(user_id) as active_users
    from active_persons
    group by kpi_group, kpi_date
),

spent as (
    select
        kpi_group,
        spend_date as kpi_date,
        sum(ad_spend_amount) as ad_spend_amount
    from ad_spend
    group by kpi_group, spend_date
),

order_costs as (
    select
        order_id,
        -- One unknown cost makes the order's cost unknown.
        case when count(*) = count(ordered_cost_amount) then sum(ordered_cost_amount) end as cost_amount
    from {{ ref('fct_order_lines') }}
    group by order_id
),

attributed as (
    select
        orders.kpi_group,
        orders.paid_date as kpi_date,
        sum(orders.paid_amount) as attributed_paid_amount,
        case
            when count(*) = count(order_costs.cost_amount)
                then sum(orders.paid_amount - order_costs.cost_amount)
        end as margin_amount
    from orders
    inner join advertised_campaigns on orders.campaign_id = advertised_campaigns.campaign_id
    left join order_costs on orders.order_id = order_costs.order_id
    where orders.is_paid
    group by orders.kpi_group, orders.paid_date
),

-- Like all that is refunded, on the day on which it is.
attributed_refunds as (
    select
        refunds.kpi_group,
        refunds.refunded_date as kpi_date,
        case
            when count(*) = count(refunds.cost_amount) then sum(refunds.refund_amount - refunds.cost_amount)
        end as margin_amount
    from refunds
    inner join {{ ref('fct_orders') }} as refunded_orders on refunds.order_id = refunded_orders.order_id
    inner join advertised_campaigns on refunded_orders.campaign_id = advertised_campaigns.campaign_id
    group by refunds.kpi_group, refunds.refunded_date
),

stocked as (
    select
        'all' as kpi_group,
        stock_date as kpi_date,
        sum(inventory_value_amount) as inventory_value_amount,
        {{ rate('sum(case when on_hand_units <= 0 then 1 else 0 end)', 'count(*)') }} as out_of_stock_rate
    from inventory
    group by stock_date
),

delivered as (
    select
        orders.kpi_group,
        shipments.delivered_date as kpi_date,
        {{ rate('sum(case when shipments.is_on_time then 1 else 0 end)', 'count(shipments.is_on_time)') }}
            as on_time_delivery_rate
    from shipments
    inner join orders on shipments.order_id = orders.order_id
    where shipments.delivered_date is not null
    group by orders.kpi_group, shipments.delivered_date
),

kpi_groups as (
    select kpi_group from orders
    union
    select kpi_group from refunds
    union
    select kpi_group from sessions
    union
    select kpi_group from ad_spend
    union
    select 'all' as kpi_group
),

connected as (
    select
        (select count(*) from sessions) > 0 as has_sessions,
        (select count(*) from ad_spend) > 0 as has_ad_spend
),

-- Of the days before it nothing is known, which is not nothing.
counted as (
    select min(kpi_date) as first_date
    from (
        {%- for measure in measures %}
        select kpi_date from {{ measure }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as counted_days
),

spine as (
    select
        dates.date_day as kpi_date,
        kpi_groups.kpi_group,
        dates.is_complete
    from dates
    cross join kpi_groups
    cross join merchants
    cross join counted
    where dates.date_day between coalesce(counted.first_date, merchants.as_of_date) and merchants.as_of_date
),

joined as (
    select
        spine.kpi_date,
        spine.kpi_group as channel_group,
        spine.is_complete,
        coalesce(placed.gmv_amount, 0) as gmv_amount,
        coalesce(paid.paid_amount, 0) as paid_amount,
        coalesce(refunded.refund_amount, 0) as refund_amount,
        coalesce(paid.paid_amount, 0) - coalesce(refunded.refund_amount, 0) as net_revenue_amount,
        case when paid.paid_orders is null then 0 else costs.cost_amount end
        - case when refunded.kpi_date is null then 0 else refunded.cost_amount end as cost_amount,
        coalesce(placed.placed_orders, 0) as placed_orders,
        coalesce(paid.paid_orders, 0) as paid_orders,
        coalesce(paid.units, 0) as units,
        coalesce(paid.buyers, 0) as buyers,
        coalesce(paid.new_buyers, 0) as new_buyers,
        coalesce(paid.buyers, 0) - coalesce(paid.new_buyers, 0) as returning_buyers,
        coalesce(active.active_users, 0) as active_users,
        case when connected.has_sessions then coalesce(visited.sessions, 0) end as sessions,
        visited.paid_sessions,
        visited.cart_sessions,
        visited.view_sessions,
        case when connected.has_ad_spend then coalesce(spent.ad_spend_amount, 0) end as ad_spend_amount,
        coalesce(attributed.attributed_paid_amount, 0) as attributed_paid_amount,
        -- No order is a margin of 0; an order whose cost is unknown is an unknown margin.
        case when attributed.kpi_date is null then 0 else attributed.margin_amount end
        - case when attributed_refunds.kpi_date is null then 0 else attributed_refunds.margin_amount end
            as attributed_margin_amount,
        stocked.inventory_value_amount,
        stocked.out_of_stock_rate,
        delivered.on_time_delivery_rate
    from spine
    cross join connected
    {%- for measure in measures %}
    left join {{ measure }}
        on
            spine.kpi_date = {{ measure }}.kpi_date
            and spine.kpi_group = {{ measure }}.kpi_group
    {%- endfor %}
),

final as (
    select
        kpi_date,
        channel_group,
        is_complete,
        cast(gmv_amount as decimal(18, 2)) as gmv_amount,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        cast(net_revenue_amount - cost_amount as decimal(18, 2)) as gross_margin_amount,
        cast(placed_orders as bigint) as placed_orders,
        cast(paid_orders as bigint) as paid_orders,
        cast(units as bigint) as units,
        cast(buyers as bigint) as buyers,
        cast(new_buyers as bigint) as new_buyers,
        cast(returning_buyers as bigint) as returning_buyers,
        {{ average_amount('paid_amount', 'paid_orders') }} as average_order_amount,
        cast(active_users as bigint) as active_users,
        cast(sessions as bigint) as sessions,
        {{ rate('paid_sessions', 'sessions') }} as conversion_rate,
        {{ rate('cart_sessions', 'view_sessions') }} as add_to_cart_rate,
        cast(ad_spend_amount as decimal(18, 2)) as ad_spend_amount,
        {{ rate('attributed_paid_amount', 'ad_spend_amount') }} as roas,
        {{ rate('attributed_margin_amount - ad_spend_amount', 'ad_spend_amount') }} as roi,
        {{ average_amount('ad_spend_amount', 'new_buyers') }} as acquisition_cost_amount,
        cast(inventory_value_amount as decimal(18, 2)) as inventory_value_amount,
        out_of_stock_rate,
        on_time_delivery_rate
    from joined
)

select * from final
order by kpi_date asc nulls last
