-- One row a receipt of any silo.
{{ unify(['int_erp__receipts']) }}
