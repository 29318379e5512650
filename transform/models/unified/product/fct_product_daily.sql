-- SKU by day, where anything was sold or refunded; views and stock join when a silo brings them.
with
lines as (
    select * from {{ ref('fct_order_lines') }}
),

refunds as (
    select * from {{ ref('fct_refunds') }}
),

sold as (
    select
        sku_id,
        paid_date as activity_date,
        sum(units) as units,
        sum(paid_amount) as paid_amount,
        -- One unknown cost makes the day's margin unknown.
        case when count(*) = count(cost_amount) then sum(cost_amount) end as cost_amount
    from lines
    where is_paid and sku_id is not null
    group by sku_id, paid_date
),

refunded as (
    select
        sku_id,
        refunded_date as activity_date,
        sum(refund_amount) as refund_amount
    from refunds
    where sku_id is not null
    group by sku_id, refunded_date
),

sku_days as (
    select
        sku_id,
        activity_date
    from sold
    union
    select
        sku_id,
        activity_date
    from refunded
),

amounts as (
    select
        sku_days.sku_id,
        sku_days.activity_date,
        coalesce(sold.units, 0) as units,
        coalesce(sold.paid_amount, 0) as paid_amount,
        coalesce(refunded.refund_amount, 0) as refund_amount,
        -- Costs lie on the day of the payment: a day that has only refunds costs nothing more.
        case when sold.sku_id is null then 0 else sold.cost_amount end as cost_amount
    from sku_days
    left join sold
        on
            sku_days.sku_id = sold.sku_id
            and sku_days.activity_date = sold.activity_date
    left join refunded
        on
            sku_days.sku_id = refunded.sku_id
            and sku_days.activity_date = refunded.activity_date
),

final as (
    select
        sku_id,
        activity_date,
        cast(null as bigint) as views,
        cast(null as bigint) as carts,
        cast(units as bigint) as units,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(paid_amount - refund_amount as decimal(18, 2)) as net_revenue_amount,
        cast(paid_amount - refund_amount - cost_amount as decimal(18, 2)) as gross_margin_amount,
        cast(null as bigint) as stock_units,
        {{ average_amount('paid_amount', 'units') }} as average_unit_amount,
        cast(null as decimal(18, 2)) as lowest_competitor_amount
    from amounts
)

select * from final
order by activity_date asc nulls last
