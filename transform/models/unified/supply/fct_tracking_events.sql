-- One row a scan of a parcel, of any silo.
{{ unify(['int_logistics__tracking_events']) }}
