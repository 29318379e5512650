-- One row a group as it is now.
with
source as (
    select * from {{ source('crm', 'groups') }}
),

renamed as (
    select
        'crm' as silo,
        group_id as source_group_id,
        'crm:' || group_id as group_id,
        group_name,
        'erp:' || category_id as category_id,
        group_type,
        owner,
        created_at,
        updated_at
    from source
)

select * from renamed
