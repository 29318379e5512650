"""SQL text made safely, and a connection with bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# What the engine may take for an ingest; the process around it needs some more, below 2 GiB in all.
_MEMORY_BYTES = 1_500_000_000


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


def connect(temporary: Path, least_threads: int = 1) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with bounded memory that spills to `temporary` and thinks in UTC.

    Args:
        least_threads: that it has, also where there are fewer cores; each takes memory.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "memory_limit": _limit(_MEMORY_BYTES),
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": False,
        }
    )
    if threads(connection) < least_threads:
        connection.execute(f"set threads = {least_threads}")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set parquet_metadata_cache = true")  # a table's earlier files are met again by each later one
    connection.execute("set enable_progress_bar = false")
    return connection


def execute_sparingly(connection: duckdb.DuckDBPyConnection, query: str, enough_bytes: int) -> None:
    """Runs a query in the same memory however long its input is.

    The engine takes what it may have: what it reads waits to be written, and what it sorts stays, until then.

    Args:
        query: may be run twice; where that is not enough, for a value that is larger, it gets all that there is.
        enough_bytes: that it has enough with, as a rule.
    """
    import duckdb

    try:
        connection.execute(f"set memory_limit = '{_limit(min(enough_bytes, _MEMORY_BYTES))}'")
        connection.execute(query)
        return
    except duckdb.OutOfMemoryException:
        pass
    finally:
        connection.execute(f"set memory_limit = '{_limit(_MEMORY_BYTES)}'")
    connection.execute(query)


def threads(connection: duckdb.DuckDBPyConnection) -> int:
    """How many threads work on a query."""
    return scalar(connection, "select current_setting('threads')")


def _limit(size: int) -> str:
    return f"{size}B"


def scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query returns."""
    row = connection.execute(query).fetchone()
    assert row is not None, query
    return int(row[0])
