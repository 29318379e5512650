-- One row a seller; the region is that of the city as typed, without the accents that buyers' cities lack.
with
source as (
    select * from {{ source('olist', 'sellers') }}
),

renamed as (
    select
        'olist' as silo,
        'olist:' || seller_id as supplier_id,
        seller_zip_code_prefix as postcode_prefix,
        seller_city as city,
        seller_state as state,
        -- What has nothing to become is taken off: accents that stand beside their letter.
        'olist:' || seller_state || '/' || translate(
            lower(seller_city),
            'áâãàéêíóôõúüç{{ "\u0300\u0301\u0302\u0303\u0308\u0327" }}',
            'aaaaeeiooouuc'
        ) as region_id
    from source
)

select * from renamed
