-- One row a payment to a supplier, of any silo.
{{ unify(['int_erp__supplier_payments']) }}
