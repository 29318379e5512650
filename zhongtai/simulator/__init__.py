"""A seeded merchant with planted truth that writes every silo in its native form."""
