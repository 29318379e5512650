-- One row a point that was found for a postcode; none of the unified tables holds points of postcodes.
with
source as (
    select * from {{ source('olist', 'geolocation') }}
),

renamed as (
    select
        'olist' as silo,
        geolocation_zip_code_prefix as postcode_prefix,
        geolocation_lat as latitude,
        geolocation_lng as longitude,
        geolocation_city as city,
        geolocation_state as state
    from source
)

select * from renamed
