-- One row a buyer: recency, frequency and money of the window before as_of, their scores, and the segment that
-- follows. Buyers whose last paid order is older than the window are lapsed and have no scores.
with
merchants as (
    select * from {{ ref('dim_merchants') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

segments as (
    select * from {{ ref('rfm_segments') }}
),

paid_orders as (
    select
        orders.user_id,
        orders.paid_date,
        orders.net_revenue_amount,
        merchants.as_of_date,
        {{ days_between('orders.paid_date', 'merchants.as_of_date') }} < {{ policy('rfm_window_days') }} as is_in_window
    from orders
    cross join merchants
    where orders.is_paid and orders.user_id is not null
),

buyers as (
    select
        user_id,
        min(paid_date) as first_paid_date,
        max(paid_date) as last_paid_date,
        {{ days_between('max(paid_date)', 'min(as_of_date)') }} as recency_days,
        {{ days_between('min(paid_date)', 'min(as_of_date)') }} < {{ policy('new_buyer_days') }} as is_new_buyer,
        sum(case when is_in_window then 1 else 0 end) as frequency_orders,
        sum(case when is_in_window then net_revenue_amount else 0 end) as monetary_amount
    from paid_orders
    group by user_id
),

ranked as (
    select
        user_id,
        first_paid_date,
        last_paid_date,
        recency_days,
        is_new_buyer,
        frequency_orders,
        monetary_amount,
        percent_rank() over (order by recency_days desc nulls last) as recency_rank,
        percent_rank() over (order by frequency_orders asc nulls last) as frequency_rank,
        percent_rank() over (order by monetary_amount asc nulls last) as monetary_rank
    from buyers
    where frequency_orders > 0
),

scored as (
    select
        *,
        {{ rfm_score('recency_rank', 'recency_days', 'rfm_recency_days_cuts', more_is_better=false) }}
            as recency_score,
        {{ rfm_score('frequency_rank', 'frequency_orders', 'rfm_frequency_orders_cuts') }} as frequency_score,
        {{ rfm_score('monetary_rank', 'monetary_amount', 'rfm_monetary_amount_cuts') }} as monetary_score
    from ranked
),

matched as (
    select
        scored.*,
        segments.segment,
        segments.segment_zh,
        segments.strategy,
        segments.strategy_zh,
        row_number() over (partition by scored.user_id order by segments.priority asc nulls last) as match_number
    from scored
    inner join segments
        on
            scored.recency_score between segments.min_recency_score and segments.max_recency_score
            and scored.frequency_score between segments.min_frequency_score and segments.max_frequency_score
            and scored.monetary_score between segments.min_monetary_score and segments.max_monetary_score
            and (segments.buyers = 'any' or scored.is_new_buyer)
),

final as (
    select
        user_id,
        first_paid_date,
        last_paid_date,
        recency_days,
        cast(frequency_orders as bigint) as frequency_orders,
        cast(monetary_amount as decimal(18, 2)) as monetary_amount,
        recency_score,
        frequency_score,
        monetary_score,
        segment,
        segment_zh,
        strategy,
        strategy_zh
    from matched
    where match_number = 1
    union all
    select
        user_id,
        first_paid_date,
        last_paid_date,
        recency_days,
        cast(0 as bigint) as frequency_orders,
        cast(0 as decimal(18, 2)) as monetary_amount,
        cast(null as integer) as recency_score,
        cast(null as integer) as frequency_score,
        cast(null as integer) as monetary_score,
        'lapsed' as segment,
        '已流失买家' as segment_zh,
        'Win-back when a new reason to return exists' as strategy,
        '有新理由时召回' as strategy_zh
    from buyers
    where frequency_orders = 0
)

select * from final
