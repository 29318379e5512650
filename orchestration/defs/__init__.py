"""Dagster's definitions, a module a stage."""
