"""Forgetting a person: found by identities, taken out of landing, rebuilt without, and searched for."""
