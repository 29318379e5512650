-- One row an identity of a person in any silo, with what the silo knows of it.
{{ unify([
    'int_complete_journey__identities',
    'int_storefront__identities',
    'int_marketplace__identities',
    'int_live__identities',
    'int_stores__identities',
    'int_crm__identities',
    'int_olist__identities',
]) }}
