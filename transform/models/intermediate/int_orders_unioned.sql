-- One row an order of any silo: who, where, when; its money is its lines'.
{{ unify([
    'int_complete_journey__orders',
    'int_storefront__orders',
    'int_marketplace__orders',
    'int_live__orders',
    'int_stores__orders',
    'int_olist__orders',
]) }}
