-- Which SKUs a supplier delivers and on which terms, in any silo.
{{ unify(['stg_erp__supplier_terms', 'int_olist__supplier_skus']) }}
