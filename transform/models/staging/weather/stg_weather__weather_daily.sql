-- One row a city and day, as last reported.
with
source as (
    select * from {{ source('weather', 'weather_daily') }}
),

renamed as (
    select
        'weather' as silo,
        region_id,
        weather_date,
        rain_mm,
        wind_ms,
        temperature_celsius,
        warning_level,
        reported_at
    from source
)

select * from renamed
