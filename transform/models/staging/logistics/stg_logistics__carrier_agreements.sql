-- One row a lane and service that a carrier agreed to.
with
source as (
    select * from {{ source('logistics', 'carrier_agreements') }}
),

renamed as (
    select
        'logistics' as silo,
        agreement_id as source_agreement_id,
        'logistics:' || agreement_id as agreement_id,
        'logistics:' || carrier_id as carrier_id,
        'erp:' || warehouse_id as warehouse_id,
        destination_macro_region,
        service,
        promised_hours,
        penalty_amount,
        valid_from as valid_from_date,
        valid_to as valid_to_date,
        updated_at
    from source
)

select * from renamed
