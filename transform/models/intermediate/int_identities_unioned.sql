-- One row an identity of a person in any silo, with what the silo knows of it.
{{ unify(['int_complete_journey__identities']) }}
