"""Queries in little memory."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from zhongtai import sql

ENOUGH = 64 << 20


@pytest.fixture
def connection(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    return sql.connect(tmp_path)


def _limit(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("select current_setting('memory_limit')").fetchone()
    assert row is not None
    return str(row[0])


def test_a_query_sees_the_memory_that_is_enough_and_the_next_one_all(connection: duckdb.DuckDBPyConnection) -> None:
    before = _limit(connection)
    sql.execute_sparingly(connection, "create table seen as select current_setting('memory_limit') as size", ENOUGH)
    assert connection.execute("select size from seen").fetchall() == [("64.0 MiB",)]
    assert _limit(connection) == before


def test_what_cannot_do_with_it_gets_all_that_there_is(connection: duckdb.DuckDBPyConnection) -> None:
    before = _limit(connection)
    sql.execute_sparingly(
        connection, "create or replace table lists as select list(i) as numbers from range(20_000_000) as n(i)", ENOUGH
    )
    assert sql.scalar(connection, "select len(numbers) from lists") == 20_000_000
    assert _limit(connection) == before


def test_another_failure_leaves_all_memory_too(connection: duckdb.DuckDBPyConnection) -> None:
    before = _limit(connection)
    with pytest.raises(duckdb.ConversionException):
        sql.execute_sparingly(connection, "select cast('x' as integer)", ENOUGH)
    assert _limit(connection) == before
