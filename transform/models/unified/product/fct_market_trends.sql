-- Demand of a category by month, of any silo.
{{ unify(['stg_market__category_trends']) }}
