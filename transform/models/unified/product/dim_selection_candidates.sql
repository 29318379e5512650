-- One row a SKU that is offered to us, of any silo.
{{ unify(['stg_market__selection_candidates']) }}
