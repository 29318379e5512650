-- One row a piece of content and day, of any silo.
{{ unify(['stg_marketing__content_stats']) }}
