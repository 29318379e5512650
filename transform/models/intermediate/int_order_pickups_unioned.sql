-- One row an order that is picked up at a store, of any silo.
{{ unify(['int_stores__order_pickups']) }}
