-- One row a buyer in an order: source_user_id is the person, customer_id the person in that order.
with
source as (
    select * from {{ source('olist', 'customers') }}
),

renamed as (
    select
        'olist' as silo,
        customer_id,
        customer_unique_id as source_user_id,
        customer_zip_code_prefix as postcode_prefix,
        customer_city as city,
        customer_state as state,
        'olist:' || customer_state || '/' || lower(customer_city) as region_id,
        _first_position as landed_position
    from source
)

select * from renamed
