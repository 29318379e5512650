-- Business date × channel × campaign, where anything happened: what was spent, whom it brought and what they bought.
-- Each amount lies on its own day, as in mart_kpi_daily, whose totals these rows add up to.
{%- set key = ['activity_date', 'channel', 'campaign_id'] %}
{%- set measures = ['spent', 'visited', 'registered', 'placed', 'paid', 'costs', 'refunded'] %}
with
dates as (
    select * from {{ ref('dim_dates') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

users as (
    select * from {{ ref('dim_users') }}
),

orders as (
    select
        *,
        coalesce(channel, 'unknown') as sales_channel,
        coalesce(campaign_id, 'none') as sales_campaign_id
    from {{ ref('fct_orders') }}
),

lines as (
    select * from {{ ref('fct_order_lines') }}
),

refunds as (
    select * from {{ ref('fct_refunds') }}
),

sessions as (
    select * from {{ ref('fct_user_sessions') }}
),

ad_spend as (
    select * from {{ ref('fct_ad_spend') }}
),

spent as (
    select
        spend_date as activity_date,
        channel,
        coalesce(campaign_id, 'none') as campaign_id,
        sum(ad_spend_amount) as ad_spend_amount,
        sum(impressions) as impressions,
        sum(clicks) as clicks
    from ad_spend
    group by spend_date, channel, coalesce(campaign_id, 'none')
),

visited as (
    select
        session_date as activity_date,
        coalesce(channel, 'unknown') as channel,
        coalesce(campaign_id, 'none') as campaign_id,
        count(*) as sessions
    from sessions
    group by session_date, coalesce(channel, 'unknown'), coalesce(campaign_id, 'none')
),

-- Which campaign brought a registration, no silo tells.
registered as (
    select
        {{ business_date('registered_at') }} as activity_date,
        coalesce(registration_channel, 'unknown') as channel,
        'none' as campaign_id,
        count(*) as new_users
    from users
    where registered_at is not null
    group by {{ business_date('registered_at') }}, coalesce(registration_channel, 'unknown')
),

placed as (
    select
        placed_date as activity_date,
        sales_channel as channel,
        sales_campaign_id as campaign_id,
        count(*) as placed_orders,
        sum(gmv_amount) as gmv_amount
    from orders
    group by placed_date, sales_channel, sales_campaign_id
),

paid as (
    select
        paid_date as activity_date,
        sales_channel as channel,
        sales_campaign_id as campaign_id,
        count(*) as paid_orders,
        count(distinct user_id) as buyers,
        count(distinct case when user_order_number = 1 then user_id end) as new_buyers,
        sum(paid_amount) as paid_amount
    from orders
    where is_paid
    group by paid_date, sales_channel, sales_campaign_id
),

costs as (
    select
        orders.paid_date as activity_date,
        orders.sales_channel as channel,
        orders.sales_campaign_id as campaign_id,
        -- One unknown cost makes the day's margin unknown.
        case
            when count(*) = count(lines.ordered_cost_amount) then sum(lines.ordered_cost_amount)
        end as cost_amount
    from lines
    inner join orders on lines.order_id = orders.order_id
    where orders.is_paid
    group by orders.paid_date, orders.sales_channel, orders.sales_campaign_id
),

refunded as (
    select
        refunds.refunded_date as activity_date,
        coalesce(orders.sales_channel, refunds.channel, 'unknown') as channel,
        coalesce(orders.sales_campaign_id, 'none') as campaign_id,
        sum(refunds.refund_amount) as refund_amount,
        case when count(*) = count(refunds.cost_amount) then sum(refunds.cost_amount) end as cost_amount
    from refunds
    left join orders on refunds.order_id = orders.order_id
    group by
        refunds.refunded_date,
        coalesce(orders.sales_channel, refunds.channel, 'unknown'),
        coalesce(orders.sales_campaign_id, 'none')
),

spine as (
    {%- for measure in measures %}
    select {{ key | join(', ') }} from {{ measure }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

connected as (
    select
        (select count(*) from sessions) > 0 as has_sessions,
        (select count(*) from ad_spend) > 0 as has_ad_spend
),

joined as (
    select
        spine.activity_date,
        spine.channel,
        coalesce(channels.channel_group, 'unknown') as channel_group,
        spine.campaign_id,
        coalesce(dates.is_complete, true) as is_complete,
        case when connected.has_ad_spend then coalesce(spent.ad_spend_amount, 0) end as ad_spend_amount,
        case when connected.has_ad_spend then coalesce(spent.impressions, 0) end as impressions,
        case when connected.has_ad_spend then coalesce(spent.clicks, 0) end as clicks,
        case when connected.has_sessions then coalesce(visited.sessions, 0) end as sessions,
        coalesce(registered.new_users, 0) as new_users,
        coalesce(paid.buyers, 0) as buyers,
        coalesce(paid.new_buyers, 0) as new_buyers,
        coalesce(placed.placed_orders, 0) as placed_orders,
        coalesce(paid.paid_orders, 0) as paid_orders,
        coalesce(placed.gmv_amount, 0) as gmv_amount,
        coalesce(paid.paid_amount, 0) as paid_amount,
        coalesce(refunded.refund_amount, 0) as refund_amount,
        case when paid.paid_orders is null then 0 else costs.cost_amount end
        - case when refunded.activity_date is null then 0 else refunded.cost_amount end as cost_amount
    from spine
    cross join connected
    {%- for measure in measures %}
    left join {{ measure }}
        on
            spine.activity_date = {{ measure }}.activity_date
            and spine.channel = {{ measure }}.channel
            and spine.campaign_id = {{ measure }}.campaign_id
    {%- endfor %}
    left join dates on spine.activity_date = dates.date_day
    left join channels on spine.channel = channels.channel
),

final as (
    select
        activity_date,
        channel,
        channel_group,
        campaign_id,
        is_complete,
        cast(ad_spend_amount as decimal(18, 2)) as ad_spend_amount,
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        {{ rate('clicks', 'impressions') }} as click_through_rate,
        cast(sessions as bigint) as sessions,
        cast(new_users as bigint) as new_users,
        cast(buyers as bigint) as buyers,
        cast(new_buyers as bigint) as new_buyers,
        cast(placed_orders as bigint) as placed_orders,
        cast(paid_orders as bigint) as paid_orders,
        cast(gmv_amount as decimal(18, 2)) as gmv_amount,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(paid_amount - refund_amount as decimal(18, 2)) as net_revenue_amount,
        cast(paid_amount - refund_amount - cost_amount as decimal(18, 2)) as gross_margin_amount,
        {{ average_amount('ad_spend_amount', 'new_buyers') }} as acquisition_cost_amount,
        {{ rate('paid_amount', 'ad_spend_amount') }} as roas,
        {{ rate('paid_amount - refund_amount - cost_amount - ad_spend_amount', 'ad_spend_amount') }} as roi
    from joined
)

select * from final
order by activity_date asc nulls last
