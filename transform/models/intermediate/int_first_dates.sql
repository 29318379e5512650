-- One row a fact and its column of business dates, with the first of them: where the calendar begins.
-- Silos write 0001 or 1970 for "never", so a date before 2000 opens no calendar; but an order's days are there whatever
-- they are, because the totals of days are compared with those of orders.
{%- set facts = [
    ('fct_orders', 'placed_date'),
    ('fct_orders', 'paid_date'),
    ('fct_payments', 'paid_date'),
    ('fct_refunds', 'refunded_date'),
    ('fct_presale_reservations', 'reserved_date'),
    ('fct_product_reviews', 'reviewed_date'),
    ('fct_competitor_prices', 'listed_date'),
    ('fct_product_promotions', 'week_begin'),
    ('fct_content_daily', 'stat_date'),
    ('fct_ad_spend', 'spend_date'),
    ('fct_store_visits', 'visited_date'),
    ('fct_live_minutes', 'minute_date'),
    ('fct_weather_daily', 'weather_date'),
    ('fct_inventory_daily', 'stock_date'),
    ('fct_purchase_lines', 'created_date'),
    ('fct_receipts', 'received_date'),
    ('fct_supplier_invoices', 'invoiced_date'),
    ('fct_supplier_payments', 'paid_date'),
    ('fct_stock_transfers', 'shipped_date'),
    ('fct_shipments', 'shipped_date'),
    ('fct_shipments', 'delivered_date'),
    ('fct_tracking_events', 'tracked_date'),
    ('fct_user_events', 'event_date'),
    ('fct_user_touches', 'sent_date'),
    ('fct_user_growth', 'earned_date'),
    ('fct_group_activity', 'activity_date'),
    ('fct_coupons', 'issued_date'),
    ('fct_coupons', 'redeemed_date'),
    ('fct_service_tickets', 'opened_date'),
] %}
with
final as (
    {%- for fact, column in facts %}
    select
        '{{ fact }}' as fact,
        '{{ column }}' as date_column,
        min({{ column }}) as first_date
    from {{ ref(fact) }}
    {%- if fact != 'fct_orders' %}
    where {{ column }} >= cast('2000-01-01' as date)
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
