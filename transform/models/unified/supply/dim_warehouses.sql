-- One row a warehouse of any silo.
{{ unify(['int_erp__warehouses']) }}
