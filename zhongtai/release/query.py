"""Questions to a release, for `zhongtai sql`."""

from __future__ import annotations

import re
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.merchant import Merchant
from zhongtai.release import catalogue, store
from zhongtai.release.manifest import Manifest
from zhongtai.sql import quote_files, quote_identifier, quote_literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# `marts` comes before `unified` where a name is in both.
_SEARCHED = ("marts", "unified")
_EXPLAIN = re.compile(r"\s*explain\b(\s+analyze\b|\s*\(\s*(analyze|format)\b[^()]*\))?", re.IGNORECASE)


def query(merchant: Merchant, sql: str, release_id: str = "current") -> pa.Table:
    """Answers one query from one release, which is resolved once.

    Only reading is allowed, and only of the release's own files.

    Raises:
        UsageError: not one reading statement, or no such release.
        ZhongtaiError: DuckDB refused the query; its words in one line.
    """
    import duckdb

    manifest = store.get(merchant, release_id)
    # A connection of its own, with the release attached: settings hold for all connections that a process has to a
    # file, so restrictions on it would restrict others, and nobody could ask at the same time.
    with TemporaryDirectory() as spill, duckdb.connect(config={"temp_directory": spill}) as connection:
        try:
            _restrict(connection, merchant, manifest)
            if not _only_reads(connection, sql):
                raise UsageError("Give one query that reads, for example: select * from marts.mart_kpi_daily limit 5")
            return connection.execute(sql).to_arrow_table()
        except duckdb.Error as error:
            raise ZhongtaiError(" ".join(str(error).split("\n\n")[0].split())) from error


def _restrict(connection: duckdb.DuckDBPyConnection, merchant: Merchant, manifest: Manifest) -> None:
    """Attaches the release and shuts out everything else; the query cannot change that."""
    folder = merchant.releases / manifest.release_id
    schemas = {name.split(".", 1)[0] for name in manifest.tables}
    path = ",".join(f"zhongtai.{quote_identifier(schema)}" for schema in _SEARCHED if schema in schemas)
    connection.execute(f"attach {quote_literal(str(folder / catalogue.DATABASE))} as zhongtai (read_only)")
    # As it is, and as a view writes it: DuckDB asks for leave before it reads `[[]` as `[`.
    folders = f"[{quote_literal(str(folder))}, {quote_files([folder])[1:-1]}]"
    connection.execute(f"set allowed_directories = {folders}")
    connection.execute("set enable_external_access = false")
    connection.execute(f"set search_path = {quote_literal(path)}")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set lock_configuration = true")


def _only_reads(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether it is one query, or the plan of one: `explain analyze` does what it explains."""
    from duckdb import StatementType

    kinds = [statement.type for statement in connection.extract_statements(sql)]
    if kinds == [StatementType.EXPLAIN]:
        kinds = [statement.type for statement in connection.extract_statements(_EXPLAIN.sub("", sql, count=1))]
    return kinds == [StatementType.SELECT]
