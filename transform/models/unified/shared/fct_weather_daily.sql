-- One row a city and day, of any silo.
{{ unify(['stg_weather__weather_daily']) }}
