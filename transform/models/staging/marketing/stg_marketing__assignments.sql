-- One row an account of the storefront put into a variant.
with
source as (
    select * from {{ source('marketing', 'assignments') }}
),

renamed as (
    select
        'marketing' as silo,
        'marketing:' || experiment_id as experiment_id,
        user_id as source_user_id,
        variant,
        assigned_at,
        exposed_at
    from source
)

select * from renamed
