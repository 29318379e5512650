-- One row an invoice line of any silo.
{{ unify(['int_erp__supplier_invoices']) }}
