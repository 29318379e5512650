-- One row a city, day and day of issue.
with
source as (
    select * from {{ source('weather', 'weather_forecast') }}
),

renamed as (
    select
        'weather' as silo,
        region_id,
        forecast_date,
        issued_date,
        rain_mm,
        wind_ms,
        warning_level,
        rain_probability
    from source
)

select * from renamed
