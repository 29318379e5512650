-- Which SKUs a campaign is about, in any silo.
{{ unify(['int_complete_journey__campaign_skus', 'int_marketing__campaign_skus']) }}
