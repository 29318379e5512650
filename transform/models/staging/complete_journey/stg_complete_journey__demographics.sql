-- One row a household that told about itself.
with
source as (
    select * from {{ source('complete_journey', 'demographics') }}
),

renamed as (
    select
        'complete_journey' as silo,
        cast(household_id as string) as source_user_id,
        age as age_band,
        income as income_band,
        home_ownership,
        marital_status,
        household_size,
        household_comp as household_composition,
        kids_count,
        _first_position as landed_position
    from source
)

select * from renamed
