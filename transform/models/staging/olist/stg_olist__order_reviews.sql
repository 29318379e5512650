-- One row an answer to the survey on an order; of an answer about two orders there are two.
with
source as (
    select * from {{ source('olist', 'order_reviews') }}
),

renamed as (
    select
        'olist' as silo,
        'olist:' || review_id || ':' || order_id as review_id,
        'olist:' || order_id as order_id,
        review_score as rating,
        nullif(concat_ws(': ', review_comment_title, review_comment_message), '') as review_text,
        review_creation_date as asked_at,
        review_answer_timestamp as reviewed_at
    from source
)

select * from renamed
