-- One row a version of a supplier: what it was, with the terms of the SKUs that it delivered then summed up.
with
-- Open ends become moments, because an engine cannot hash-join on "or is null".
suppliers as (
    select
        *,
        coalesce(valid_from, cast('0001-01-01' as timestamp)) as held_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as held_to
    from {{ ref('stg_erp__suppliers') }}
),

-- Here the first terms of a SKU hold from when they were told: a SKU that is new today is no part of what was before.
terms as (
    select
        supplier_id,
        lead_time_days,
        minimum_order_units,
        response_hours,
        updated_at as held_from,
        coalesce(valid_to, cast('9999-12-31' as timestamp)) as held_to
    from {{ ref('int_erp__supplier_skus') }}
),

moments as (
    select
        supplier_id,
        updated_at
    from suppliers
    union distinct
    select
        supplier_id,
        held_from
    from terms
    union distinct
    select
        supplier_id,
        held_to
    from terms
    where held_to < cast('9999-12-31' as timestamp)
),

summed_up as (
    select
        moments.supplier_id,
        moments.updated_at,
        {{ rate('sum(terms.lead_time_days)', 'count(terms.supplier_id)') }} as lead_time_days,
        min(terms.minimum_order_units) as minimum_order_units,
        min(terms.response_hours) as response_hours
    from moments
    left join terms
        on
            moments.supplier_id = terms.supplier_id
            and moments.updated_at >= terms.held_from
            and moments.updated_at < terms.held_to
    group by
        moments.supplier_id,
        moments.updated_at
),

described as (
    select
        summed_up.*,
        suppliers.silo,
        suppliers.supplier_name,
        suppliers.is_core,
        suppliers.supply_mode,
        regions.region_id,
        -- Everything of which a change makes another version.
        concat(
            coalesce(suppliers.supplier_name, ''),
            '|',
            coalesce(cast(suppliers.is_core as string), ''),
            '|',
            coalesce(suppliers.supply_mode, ''),
            '|',
            coalesce(regions.region_id, ''),
            '|',
            coalesce(cast(summed_up.lead_time_days as string), ''),
            '|',
            coalesce(cast(summed_up.minimum_order_units as string), ''),
            '|',
            coalesce(cast(summed_up.response_hours as string), '')
        ) as shown
    from summed_up
    inner join suppliers
        on
            summed_up.supplier_id = suppliers.supplier_id
            and summed_up.updated_at >= suppliers.held_from
            and summed_up.updated_at < suppliers.held_to
    {{ join_region('suppliers', 'city') }}
),

compared as (
    select
        *,
        lag(shown) over (partition by supplier_id order by updated_at asc nulls last) as shown_before
    from described
),

versioned as (
    select
        *,
        {{ version_columns('supplier_id') }}
    from compared
    where shown_before is null or shown_before <> shown
),

final as (
    select
        supplier_id || '@' || cast(version_number as string) as supplier_version_id,
        supplier_id,
        silo,
        supplier_name,
        is_core,
        supply_mode,
        region_id,
        lead_time_days,
        minimum_order_units,
        response_hours,
        valid_from,
        valid_to,
        is_current
    from versioned
)

select * from final
