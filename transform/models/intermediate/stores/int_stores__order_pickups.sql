-- One row an order that is picked up: it has arrived with its last parcel, and is collected with the last one.
with
pickups as (
    select * from {{ ref('stg_stores__pickups') }}
),

final as (
    select
        order_id,
        max(arrived_at) as pickup_arrived_at,
        case when count(*) = count(collected_at) then max(collected_at) end as pickup_collected_at
    from pickups
    group by order_id
)

select * from final
