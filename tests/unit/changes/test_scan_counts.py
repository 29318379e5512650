"""What `benchmarks/increments.py` takes a scan for, by profiles of DuckDB itself."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from benchmarks.increments import Kind, scans

ROWS = 400_000
VECTOR = 2_048


class Profiled:
    """A warehouse with a fact, a dimension and ids, and what its statements scan."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "profile.json"
        self._connection = duckdb.connect(str(folder / "warehouse.duckdb"))
        for schema in ("unified", "changes"):
            self._connection.execute(f"create schema {schema}")
        fact = f"select md5(range::varchar) as id, range % 7 as kind, range as amount from range({ROWS})"
        self._connection.execute(f"create table unified.fct_orders as {fact}")
        self._connection.execute("create table unified.dim_kinds as select range as kind from range(7)")
        changed = "select id from unified.fct_orders where amount in (5, 399_999)"
        self._connection.execute(f"create table changes.changed_order as {changed}")

    def scanned(self, statement: str, *, is_finding: bool = False) -> dict[Kind, int]:
        """Rows by kind, of one statement."""
        self._connection.execute("pragma enable_profiling = 'json'")
        self._connection.execute(f"pragma profiling_output = '{self._file}'")
        self._connection.execute(statement)
        self._connection.execute("pragma disable_profiling")
        counts = dict.fromkeys(Kind, 0)
        tree = json.loads(self._file.read_text(encoding="utf-8"))
        for kind, rows in scans(tree, {"fct_orders"}, is_finding=is_finding):
            counts[kind] += rows
        return counts


@pytest.fixture
def profiled(tmp_path: Path) -> Profiled:
    return Profiled(tmp_path)


def test_what_is_scanned_is_read(profiled: Profiled) -> None:
    counts = profiled.scanned("create table changes.sums as select sum(amount) from unified.fct_orders")
    assert counts == {Kind.READ: ROWS, Kind.LOOKED_THROUGH: 0, Kind.LOOKED_UP: 0}


def test_what_is_fetched_by_address_was_looked_through(profiled: Profiled) -> None:
    """Two wide rows are fetched in two vectors; to find them, the ids of all are read."""
    counts = profiled.scanned(
        """
        create table changes.fct_orders as select * from unified.fct_orders where rowid in (
            select rowid from unified.fct_orders where id in (select id from changes.changed_order)
        )
        """
    )
    assert counts[Kind.LOOKED_THROUGH] == ROWS
    # The ids that changed are read as well.
    assert 2 < counts[Kind.READ] <= 2 * VECTOR + 2


def test_what_only_finds_looks_through(profiled: Profiled) -> None:
    statement = (
        "create table changes.found_fct_orders as select rowid as address from unified.fct_orders "
        "where id in (select id from changes.changed_order)"
    )
    assert profiled.scanned(statement, is_finding=True)[Kind.LOOKED_THROUGH] == ROWS


def test_dimensions_are_looked_up(profiled: Profiled) -> None:
    counts = profiled.scanned(
        "create table changes.joined as select * from unified.fct_orders left join unified.dim_kinds using (kind)"
    )
    assert counts == {Kind.READ: ROWS, Kind.LOOKED_THROUGH: 0, Kind.LOOKED_UP: 7}
