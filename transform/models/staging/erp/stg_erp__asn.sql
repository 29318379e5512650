-- One row an advance shipping notice of a purchase line.
with
source as (
    select * from {{ source('erp', 'asn') }}
),

renamed as (
    select
        'erp' as silo,
        asn_id as source_asn_id,
        'erp:' || asn_id as asn_id,
        'erp:' || purchase_line_id as purchase_line_id,
        shipped_units,
        shipped_at
    from source
)

select * from renamed
