"""What one more day costs after a short and after a long history, in rows that the engine reads and writes.

    python -m benchmarks.increments [--scale m] [--days 30 --days 364]

A company is simulated once. For each number of days its files up to that day land and are built from the ground; then
the files of the next day land, and what the models rebuilt by entity read and write is counted, from DuckDB's profiles
of their statements:

- rows read of them and of what changed in them. Of rows that are fetched by their addresses those that the scan gives,
  which are whole vectors of 2,048 rows (none where no column of them is read); of other scans all rows of the row
  groups that were not passed over;
- rows looked through to find those: of them the columns of a condition are read (the ids, dates, and for the numbers
  of a buyer's orders when and whether they were paid);
- rows read of what they look up: persons, products, levels;
- rows put in the place of old ones;
- kB read of the stored rows of each raw table (from DuckDB's log of its file system, without its cache).

What finds the entities before is not counted, but is in the seconds of the day.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import duckdb

from tests.increments.arrivals import UNIFIED
from zhongtai import merchant as merchants
from zhongtai import policies
from zhongtai.changes import build as changes
from zhongtai.changes.build import Wanted
from zhongtai.changes.lineage import Lineage
from zhongtai.ingest import landing, loader, raw_views
from zhongtai.ingest.contract import load_contracts
from zhongtai.settings import PROJECT_ROOT, Settings
from zhongtai.simulator.simulate import simulate, simulated
from zhongtai.transform import Transform

_DAY = re.compile(r"20\d{6}")
_WORK = re.compile(r"\s*(?:/\*.*?\*/\s*)?(?:create|insert|delete|update)\b", re.DOTALL | re.IGNORECASE)
_FINDS = re.compile(r"\bcreate or replace table changes\.(?:found|changed|renumbered)_")
_NODE = re.compile(r'"node_id": "model\.zhongtai\.(\w+)"')


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="m")
    parser.add_argument("--days", action="append", type=int)
    parser.add_argument("--folder", type=Path, help="where the simulated silos are, or are made; kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = given.folder or Path(scratch) / "company"
        company = simulated(home) or simulate(home, given.scale, 1)
        wanted = given.days or [30, 364]
        found = {days: measured(Path(scratch) / str(days), home / "silos", company.first_date, days) for days in wanted}
    _print("model: rows read", {days: each.read for days, each in found.items()})
    _print("model: rows looked through", {days: each.looked_through for days, each in found.items()})
    _print("model: rows looked up", {days: each.looked_up for days, each in found.items()})
    _print("model: rows written", {days: each.written for days, each in found.items()})
    _print("raw table: kB read", {days: each.kilobytes for days, each in found.items()})
    for days, each in found.items():
        print(f"after {days} days: whole build {each.seconds[0]:.0f} s, one more day {each.seconds[1]:.0f} s")


def _print(title: str, counts: dict[int, Counter[str]]) -> None:
    """One table: a row a name, and the last count to the first."""
    first, *_, last = counts.values() if len(counts) > 1 else [*counts.values()] * 2
    titles = [title, *(f"after {days} days" for days in counts), "last to first"]
    print(f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for name in sorted(set().union(*counts.values())):
        cells = [f"{each[name]:,}" for each in counts.values()]
        print(f"| {name} | {' | '.join(cells)} | {last[name] / max(first[name], 1):.2f} |")


class Measured(NamedTuple):
    """For one more day: rows by model, kB read by raw table; seconds of both builds."""

    read: Counter[str]
    looked_through: Counter[str]
    looked_up: Counter[str]
    written: Counter[str]
    kilobytes: Counter[str]
    seconds: tuple[float, float]


def measured(folder: Path, source: Path, first: date, days: int) -> Measured:
    """Builds the days, then one more."""
    company = Growing(folder, source, first)
    whole = company.build(days)
    names = [model.name for model in Lineage(company.project.manifest(), company.contracts).rebuilt.values()]
    with _profiled(folder, company.merchant.raw, names) as (scanned, kilobytes):
        more = company.build(days + 1)
    written: Counter[str] = Counter()
    with duckdb.connect(str(company.merchant.database), read_only=True) as connection:
        for name in names:
            row = connection.execute(f"select count(*) from changes.{name} where is_new").fetchone()
            written[name] = row[0] if row else 0
    of_entities = {f"{contract.silo}.{contract.table}" for contract in company.contracts if contract.entity}
    read, looked_through, looked_up = (Counter({name: scanned[kind][name] for name in names}) for kind in Kind)
    in_raw = Counter({name: kilobytes[name] for name in of_entities})
    return Measured(read, looked_through, looked_up, written, in_raw, (whole, more))


class Growing:
    """A company below a folder, whose files arrive day by day."""

    def __init__(self, folder: Path, source: Path, first: date) -> None:
        self._source, self._first = source, first
        (folder / "merchants").mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_ROOT / "merchants" / "qinghe.yml", folder / "merchants")
        self._settings = Settings(PROJECT_ROOT, folder / "data", "qinghe", folder / "merchants")
        self.merchant = merchants.load("qinghe", self._settings)
        self.contracts = load_contracts(self._settings.sources, sorted(self.merchant.silos))
        self.project = Transform(self.merchant, self._settings)

    def build(self, days: int) -> float:
        """Lands and loads what came by then, and builds it; the seconds of building."""
        _arrive(self._source, self.merchant.home / "silos", self._first + timedelta(days=days - 1))
        landing.land(self.merchant, self.contracts)
        loader.load_pending(self.merchant, self.contracts)
        with duckdb.connect(str(self.merchant.database)) as connection:
            known = policies.load(self.merchant, self._settings)
            raw_views.create_raw_views(connection, self.merchant, self.contracts, known)
        started = time.perf_counter()
        results = changes.build(self.project, UNIFIED, Wanted(is_tested=False))
        seconds = time.perf_counter() - started
        failed = [f"{result.name}: {result.message}" for result in results if not result.is_ok]
        assert not failed, failed
        return seconds


def _arrive(source: Path, target: Path, until: date) -> None:
    for file in sorted(source.glob("*/*")):
        found = _DAY.search(file.name)
        place = target / file.parent.name / file.name
        if not place.exists() and (found is None or found.group(0) <= f"{until:%Y%m%d}"):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, place)


class Kind(Enum):
    """What a scan is for, in the order of `Measured`."""

    READ = "read"
    LOOKED_THROUGH = "looked through"
    LOOKED_UP = "looked up"


@contextmanager
def _profiled(folder: Path, raw: Path, facts: list[str]) -> Iterator[tuple[dict[Kind, Counter[str]], Counter[str]]]:
    """While dbt works: rows that each model's statements scan in tables, kB that are read of each raw table."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper, LocalEnvironment

    scanned: dict[Kind, Counter[str]] = {kind: Counter() for kind in Kind}
    kilobytes: Counter[str] = Counter()
    execute, open_database = DuckDBCursorWrapper.execute, LocalEnvironment.initialize_db
    close_all = DuckDBConnectionManager.close_all_connections

    def profiled(self: Any, sql: str, bindings: Any = None) -> Any:
        node = _NODE.search(sql)
        # What answers with rows must not be followed by another statement on its cursor.
        if node is None or not _WORK.match(sql):
            return execute(self, sql, bindings)
        result = None
        file = folder / f"profile_{threading.get_ident()}.json"
        # A profile is of one statement.
        for statement in sql.split(";\n"):
            execute(self, "pragma enable_profiling = 'json'")
            execute(self, f"pragma profiling_output = '{file}'")
            result = execute(self, statement, bindings)
            execute(self, "pragma disable_profiling")
            if file.exists():
                tree = json.loads(file.read_text() or "{}")
                for kind, rows in scans(tree, set(facts), is_finding=bool(_FINDS.search(statement))):
                    scanned[kind][node.group(1)] += rows
                file.unlink()
        return result

    def logged(*arguments: Any) -> Any:
        connection = open_database(*arguments)
        connection.execute("set enable_external_file_cache = false")
        connection.execute("call enable_logging('FileSystem')")
        return connection

    def closed() -> None:
        environment = DuckDBConnectionManager._ENV
        if environment is not None and environment.conn is not None:
            query = "select path, sum(bytes) from duckdb_logs_parsed('FileSystem') where op = 'READ' group by all"
            for path, count in environment.conn.cursor().execute(query).fetchall():
                if Path(path).is_relative_to(raw):
                    silo, table, _ = Path(path).relative_to(raw).parts
                    kilobytes[f"{silo}.{table}"] += int(count) // 1000
        close_all()

    with (
        patch.object(DuckDBCursorWrapper, "execute", profiled),
        patch.object(LocalEnvironment, "initialize_db", staticmethod(logged)),
        patch.object(DuckDBConnectionManager, "close_all_connections", staticmethod(closed)),
    ):
        yield scanned, kilobytes


def scans(node: dict[str, Any], facts: set[str], *, is_finding: bool) -> Iterator[tuple[Kind, int]]:
    """What each scan of a table is for, and its rows; of files DuckDB tells only how many there may be."""
    told = node.get("extra_info", {})
    rows = int(node.get("operator_rows_scanned", 0))
    if rows and "PARQUET" not in str(told.get("Function", "")):
        *_, schema, name = str(told.get("Table", "")).rsplit(".", 2)
        if name not in facts and schema in ("unified", "intermediate", "seeds"):
            yield Kind.LOOKED_UP, rows
        elif is_finding and schema == "unified":
            yield Kind.LOOKED_THROUGH, rows
        else:
            fetched = int(node["operator_cardinality"]) if told.get("Projections") else 0
            yield Kind.READ, fetched if _is_fetch(node) else rows
    children = node.get("children", [])
    # What is fetched by address on the left side of a join was found on its right side.
    is_found = len(children) > 1 and any(_is_fetch(each) for each in _chain(children[0]))
    for place, child in enumerate(children):
        yield from scans(child, facts, is_finding=is_finding or (is_found and place > 0))


def _is_fetch(node: dict[str, Any]) -> bool:
    return "rowid" in str(node.get("extra_info", {}).get("Dynamic Filters", ""))


def _chain(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node and what it alone stands on."""
    children = node.get("children", [])
    yield node
    if len(children) == 1:
        yield from _chain(children[0])


if __name__ == "__main__":
    main()
