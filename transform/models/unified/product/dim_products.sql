-- One row a version of a SKU of any silo.
{{ unify(['int_complete_journey__products', 'int_erp__products', 'int_olist__products']) }}
