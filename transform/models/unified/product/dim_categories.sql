-- The product tree of any silo.
{{ unify(['int_complete_journey__categories', 'int_erp__categories', 'int_olist__categories']) }}
