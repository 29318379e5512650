-- One row an answer to the survey on an order. It is about a SKU only where the order has no other.
with
reviews as (
    select * from {{ ref('stg_olist__order_reviews') }}
),

orders as (
    select * from {{ ref('int_olist__orders') }}
),

only_skus as (
    select
        order_id,
        min(sku_id) as sku_id,
        min(source_sku_id) as source_sku_id
    from {{ ref('stg_olist__order_items') }}
    group by order_id
    having min(sku_id) = max(sku_id)
),

final as (
    select
        reviews.review_id,
        reviews.silo,
        only_skus.sku_id,
        only_skus.source_sku_id,
        orders.source_user_id,
        reviews.order_id,
        reviews.rating,
        reviews.review_text,
        reviews.reviewed_at
    from reviews
    left join orders on reviews.order_id = orders.order_id
    left join only_skus on reviews.order_id = only_skus.order_id
)

select * from final
