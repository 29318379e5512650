-- One row a purchase line of any silo.
{{ unify(['int_erp__purchase_lines']) }}
