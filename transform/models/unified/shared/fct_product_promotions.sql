-- Displays and mailers of any silo, a row a SKU and week.
{{ unify(['int_complete_journey__promotions']) }}
