-- One row a stock transfer of any silo.
{{ unify(['int_erp__stock_transfers']) }}
