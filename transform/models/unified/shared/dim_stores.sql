-- One row a store of any silo.
{{ unify(['int_complete_journey__stores', 'int_stores__stores']) }}
