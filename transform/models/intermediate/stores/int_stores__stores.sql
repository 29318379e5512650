-- One row a store as the latest picture that had it showed it; one that later pictures lack has closed.
with
stores as (
    select * from {{ ref('stg_stores__stores') }}
),

pictures as (
    select
        *,
        row_number() over (partition by store_id order by snapshot_date desc nulls last) as picture_number,
        max(snapshot_date) over () as last_snapshot_date
    from stores
),

final as (
    select
        pictures.store_id,
        pictures.silo,
        pictures.source_store_id,
        pictures.store_name,
        pictures.store_kind,
        regions.region_id,
        pictures.longitude,
        pictures.latitude,
        pictures.opened_date,
        case
            when pictures.closed_date is not null then pictures.closed_date
            when pictures.snapshot_date < pictures.last_snapshot_date then pictures.snapshot_date
        end as closed_date
    from pictures
    {{ join_region('pictures', 'city') }}
    where pictures.picture_number = 1
)

select * from final
