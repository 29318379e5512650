-- One row a payment of any silo.
{{ unify(['int_complete_journey__payments']) }}
