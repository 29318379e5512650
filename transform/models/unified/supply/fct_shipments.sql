-- One row a parcel of any silo.
{{ unify(['int_logistics__shipments', 'int_olist__shipments']) }}
