-- One row an order of any silo: who, where, when; its money is its lines'.
{{ unify(['int_complete_journey__orders']) }}
