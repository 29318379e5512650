-- One row an order line of any silo: what and how much.
{{ unify(['stg_complete_journey__transactions']) }}
