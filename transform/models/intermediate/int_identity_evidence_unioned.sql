-- One row what a silo tells of who an identity is.
{{ unify([
    'int_storefront__identity_evidence',
    'int_marketplace__identity_evidence',
    'int_live__identity_evidence',
    'int_stores__identity_evidence',
    'int_crm__identity_evidence',
]) }}
