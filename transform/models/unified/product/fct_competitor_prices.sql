-- One row a competitor's listing and day, of any silo.
{{ unify(['stg_market__competitor_listings']) }}
