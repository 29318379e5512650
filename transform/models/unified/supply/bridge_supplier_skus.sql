-- One row a version of the terms on which a supplier of any silo delivers a SKU.
{{ unify(['int_erp__supplier_skus', 'int_olist__supplier_skus']) }}
