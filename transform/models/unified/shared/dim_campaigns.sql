-- One row a campaign of any silo.
{{ unify(['int_complete_journey__campaigns', 'int_marketing__campaigns']) }}
