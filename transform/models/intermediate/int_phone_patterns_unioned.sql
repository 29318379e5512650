-- One row an identity and what a mask leaves of its phone: 138****1234, as a token.
{{ unify([
    'int_storefront__phone_patterns',
    'int_marketplace__phone_patterns',
    'int_live__phone_patterns',
    'int_crm__phone_patterns',
]) }}
