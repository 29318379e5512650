-- What the industry reaches, by category, macro-region and month, of any silo.
{{ unify(['stg_market__industry_benchmarks']) }}
