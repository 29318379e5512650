-- One row a version of a supplier of any silo.
{{ unify(['int_erp__suppliers', 'int_olist__suppliers']) }}
