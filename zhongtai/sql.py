"""SQL text made safely, and a connection with bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# What the engine may take for an ingest; the process around it needs some more, below 2 GiB in all.
MEMORY_LIMIT = "1500MB"
# The engine reads a file of JSON lines with one thread where it reads as many files, or more, than it has threads; two
# are read at a time (the file and the names that its records may have).
_LEAST_THREADS = 3


def quote_identifier(name: str) -> str:
    """A name as SQL reads it, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Text as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quote_files(files: Iterable[Path]) -> str:
    """A list of files as a SQL list; a name with `*`, `?` or `[` is that file and not a pattern."""
    return "[" + ", ".join(quote_literal(re.sub(r"([*?\[])", r"[\1]", str(file))) for file in files) + "]"


def read_parquet(files: Iterable[Path], *options: str) -> str:
    """The table function that reads these files; a folder called `a=b` above them is no partition."""
    return f"read_parquet({', '.join([quote_files(files), 'hive_partitioning = false', *options])})"


def duckdb_type(data_type: str) -> str:
    """The DuckDB type of a contract's type."""
    return {"string": "varchar"}.get(data_type, data_type)


def connect(temporary: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with bounded memory that spills to `temporary` and thinks in UTC."""
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": False,
        }
    )
    if scalar(connection, "select current_setting('threads')") < _LEAST_THREADS:
        connection.execute(f"set threads = {_LEAST_THREADS}")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set parquet_metadata_cache = true")  # a table's earlier files are met again by each later one
    connection.execute("set enable_progress_bar = false")
    return connection


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query returns."""
    row = connection.execute(query).fetchone()
    assert row is not None, query
    return int(row[0])
