-- SKU × month over the trailing twelve months: what share of net revenue and of margin it brings, and its class by the
-- cumulative share before it. What brings nothing or less is C. A month keeps the policies of its last day.
with
merchants as (
    select * from {{ ref('dim_merchants') }}
),

product_daily as (
    select * from {{ ref('fct_product_daily') }}
),

products as (
    select * from {{ ref('dim_products') }}
    where is_current
),

policies as (
    select * from {{ policies_over_time(['abc_window_months', 'abc_a_share', 'abc_b_share']) }}
),

calendar as (
    select
        month_begin,
        max(date_day) as month_end
    from {{ ref('dim_dates') }}
    group by month_begin
),

months as (
    select
        calendar.month_begin,
        calendar.month_end,
        policies.abc_window_months,
        policies.abc_a_share,
        policies.abc_b_share
    from calendar
    cross join merchants
    left join policies on {{ policies_hold('least(calendar.month_end, merchants.as_of_date)') }}
    where calendar.month_begin <= merchants.as_of_date
),

monthly as (
    select
        sku_id,
        {{ month_begin('activity_date') }} as sold_month,
        sum(net_revenue_amount) as net_revenue_amount,
        case when count(*) = count(gross_margin_amount) then sum(gross_margin_amount) end as gross_margin_amount
    from product_daily
    group by sku_id, {{ month_begin('activity_date') }}
),

windowed as (
    select
        monthly.sku_id,
        months.month_begin as abc_month,
        min(months.month_end) as month_end,
        min(months.abc_a_share) as abc_a_share,
        min(months.abc_b_share) as abc_b_share,
        sum(monthly.net_revenue_amount) as net_revenue_amount,
        case
            when count(*) = count(monthly.gross_margin_amount) then sum(monthly.gross_margin_amount)
        end as gross_margin_amount
    from monthly
    inner join months
        on
            monthly.sold_month <= months.month_begin
            and monthly.sold_month > {{ add_months('months.month_begin', '-months.abc_window_months') }}
    group by monthly.sku_id, months.month_begin
),

contributions as (
    select
        windowed.sku_id,
        windowed.abc_month,
        windowed.month_end <= merchants.as_of_date as is_complete,
        products.category_id,
        windowed.abc_a_share,
        windowed.abc_b_share,
        windowed.net_revenue_amount,
        windowed.gross_margin_amount,
        -- A loss must not push the others' cumulative share beyond 1.
        greatest(windowed.net_revenue_amount, 0) as revenue_contribution,
        case
            when windowed.gross_margin_amount is not null then greatest(windowed.gross_margin_amount, 0)
        end as margin_contribution
    from windowed
    cross join merchants
    left join products on windowed.sku_id = products.sku_id
),

shares as (
    select
        *,
        {{ cumulative_share('revenue_contribution', ['abc_month']) }} as revenue_share_before,
        {{ cumulative_share('margin_contribution', ['abc_month']) }} as margin_share_before,
        {{ cumulative_share('revenue_contribution', ['abc_month', 'category_id']) }} as category_share_before,
        {{ rate('revenue_contribution', 'sum(revenue_contribution) over (partition by abc_month)') }} as revenue_share,
        {{ rate('margin_contribution', 'sum(margin_contribution) over (partition by abc_month)') }} as margin_share
    from contributions
),

final as (
    select
        sku_id,
        abc_month,
        is_complete,
        category_id,
        cast(net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
        cast(gross_margin_amount as decimal(18, 2)) as gross_margin_amount,
        revenue_share,
        revenue_share_before,
        {{ abc_class('net_revenue_amount', 'revenue_share_before') }} as revenue_class,
        margin_share,
        margin_share_before,
        {{ abc_class('gross_margin_amount', 'margin_share_before') }} as margin_class,
        category_share_before,
        {{ abc_class('net_revenue_amount', 'category_share_before') }} as category_class
    from shares
)

select * from final
order by abc_month asc nulls last
