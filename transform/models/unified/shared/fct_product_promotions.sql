-- Displays and mailers of any silo, a row a SKU, store, week and place.
{{ unify(['stg_complete_journey__promotions']) }}
