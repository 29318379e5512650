-- One row what an account shows of its person in a version of it, and which accounts logged in on a device.
with
users as (
    select * from {{ ref('stg_storefront__users') }}
),

logins as (
    select
        source_user_id,
        device_id,
        min(landed_position) as landed_position
    from {{ ref('int_storefront__devices_seen') }}
    where source_user_id is not null
    group by source_user_id, device_id
),

told as (
    {%- for evidence in ['unionid', 'email', 'phone'] %}
    select
        source_user_id as source_id,
        '{{ evidence }}' as evidence,
        {{ evidence }} as evidence_token,
        landed_position
    from users
    union all
    {%- endfor %}
    select
        source_user_id as source_id,
        'device' as evidence,
        device_id as evidence_token,
        landed_position
    from logins
    union all
    select
        device_id as source_id,
        'device' as evidence,
        device_id as evidence_token,
        landed_position
    from logins
),

final as (
    select
        'storefront' as silo,
        *
    from told
    where evidence_token is not null
)

select * from final
