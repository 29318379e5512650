"""Questions to a release, for `zhongtai sql`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest.sql import quote_literal
from zhongtai.merchant import Merchant
from zhongtai.release import catalogue, store

if TYPE_CHECKING:
    import pyarrow as pa


def query(merchant: Merchant, sql: str, release_id: str = "current") -> pa.Table:
    """Answers one query from one release, which is resolved once.

    Only reading is allowed, and only of the release's own files.

    Raises:
        UsageError: not one reading statement, or no such release.
        ZhongtaiError: DuckDB refused the query; its words.
    """
    import duckdb

    manifest = store.get(merchant, release_id)
    folder = merchant.releases / manifest.release_id
    with duckdb.connect(str(folder / catalogue.DATABASE), read_only=True) as connection:
        connection.execute(f"set allowed_directories = [{quote_literal(str(folder))}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set search_path = 'marts,unified'")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set lock_configuration = true")
        try:
            statements = connection.extract_statements(sql)
            reading = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
            if len(statements) != 1 or statements[0].type not in reading:
                raise UsageError("Give one query that reads, for example: select * from marts.mart_kpi_daily limit 5")
            return connection.execute(statements[0]).to_arrow_table()
        except duckdb.Error as error:
            raise ZhongtaiError(str(error).split("\n\n")[0].strip()) from error
