"""Silo to raw: landing, contract, typed raw, quarantine and the ledger."""
