"""What sqlfluff's templater lacks of dbt's `model`: while linting, as while parsing, a model has no columns yet."""

columns: dict[str, object] = {}
