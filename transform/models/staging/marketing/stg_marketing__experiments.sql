-- One row an experiment; its variants are a JSON list.
with
source as (
    select * from {{ source('marketing', 'experiments') }}
),

renamed as (
    select
        'marketing' as silo,
        experiment_id as source_experiment_id,
        'marketing:' || experiment_id as experiment_id,
        experiment_name,
        hypothesis,
        variants,
        metric,
        started_at,
        ended_at,
        updated_at
    from source
)

select * from renamed
