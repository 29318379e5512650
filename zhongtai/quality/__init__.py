"""Great Expectations on DuckDB: suites as data, results as data."""
