"""What runs, when, in which order: Dagster's definitions and the command line."""
