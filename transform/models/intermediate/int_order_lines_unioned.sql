-- One row an order line of any silo: what and how much.
{{ unify([
    'stg_complete_journey__transactions',
    'stg_storefront__order_lines',
    'stg_marketplace__order_lines',
    'stg_live__order_lines',
    'stg_stores__receipt_lines',
    'stg_olist__order_items',
]) }}
