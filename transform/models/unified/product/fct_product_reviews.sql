-- One row a review of a SKU bought; the channel is its order's.
with
reviews as (
    {{ unify(
        ['stg_storefront__reviews', 'stg_marketplace__reviews', 'int_olist__reviews'],
        computed=['user_id', 'channel', 'reviewed_date'],
    ) | indent(4) }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

final as (
    select
        reviews.*,
        identities.user_id,
        orders.channel,
        {{ business_date('reviews.reviewed_at') }} as reviewed_date
    from reviews
    left join orders on reviews.order_id = orders.order_id
    {{ join_user('reviews') }}
)

select * from final
