-- One row a piece of content of any silo.
{{ unify(['int_marketing__content']) }}
