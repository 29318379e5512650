-- One row a buyer, living where the latest order with a known city went.
with
orders as (
    select * from {{ ref('int_olist__orders') }}
),

customers as (
    select * from {{ ref('stg_olist__customers') }}
),

seen as (
    select
        source_user_id,
        placed_at as seen_at,
        ship_to_region_id as region_id
    from orders
    where source_user_id is not null
    union all
    -- A buyer whose order has not arrived is known all the same.
    select
        source_user_id,
        cast(null as timestamp) as seen_at,
        region_id
    from customers
),

numbered as (
    select
        *,
        row_number() over (
            partition by source_user_id
            order by
                case when region_id is null then 1 else 0 end asc nulls last,
                seen_at desc nulls last,
                region_id asc nulls last
        ) as row_number_of_region
    from seen
),

final as (
    select
        'olist' as silo,
        source_user_id as source_id,
        min(seen_at) as first_seen_at,
        min(case when row_number_of_region = 1 then region_id end) as region_id,
        {{ untold(['registered_at', 'member_joined_at'], 'timestamp') }},
        {{ untold(['birth_year'], 'integer') }},
        {{ untold([
            'registration_channel', 'source_referrer_id', 'member_level', 'age_band', 'gender', 'income_band',
            'home_ownership', 'marital_status', 'household_size', 'household_composition', 'kids_count',
        ]) }}
    from numbered
    group by source_user_id
)

select * from final
