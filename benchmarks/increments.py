"""What one more day costs after a short and after a long history, in rows that the engine reads and writes.

    python -m benchmarks.increments [--scale m] [--days 30 --days 364]

A company is simulated once. For each number of days its files up to that day land and are built from the ground; then
the files of the next day land, and what the models rebuilt by entity read (rows scanned, from DuckDB's profiles of
their statements) and write (rows put in the place of old ones) is counted.
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
from pathlib import Path
from typing import Any

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
    names = sorted({name for read, _, _ in found.values() for name in read})
    titles = [f"{what} after {days} days" for days in found for what in ("read", "written")]
    titles += ["read, last to first", "written, last to first"]
    print(f"| model | {' | '.join(titles)} |\n|{'---|' * (len(titles) + 1)}")
    for name in names:
        cells = [f"{counts[name]:,}" for read, written, _ in found.values() for counts in (read, written)]
        (begin, *_, end) = [*found.values()] if len(found) > 1 else [*found.values()] * 2
        ratios = [f"{last[name] / max(early[name], 1):.2f}" for last, early in zip(end[:2], begin[:2], strict=True)]
        print(f"| {name} | {' | '.join(cells)} | {' | '.join(ratios)} |")
    for days, (_, _, seconds) in found.items():
        print(f"after {days} days: whole build {seconds[0]:.0f} s, one more day {seconds[1]:.0f} s")


Measured = tuple[Counter[str], Counter[str], tuple[float, float]]


def measured(folder: Path, source: Path, first: date, days: int) -> Measured:
    """Rows read and written by model for one more day, and the seconds of the build before and of this one."""
    (folder / "merchants").mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "merchants" / "qinghe.yml", folder / "merchants")
    settings = Settings(PROJECT_ROOT, folder / "data", "qinghe", folder / "merchants")
    merchant = merchants.load("qinghe", settings)
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    project = Transform(merchant, settings)
    seconds = []
    for day in (days, days + 1):
        _arrive(source, merchant.home / "silos", first + timedelta(days=day - 1))
        landing.land(merchant, contracts)
        loader.load_pending(merchant, contracts)
        with duckdb.connect(str(merchant.database)) as connection:
            raw_views.create_raw_views(connection, merchant, contracts, policies.load(merchant, settings))
        started = time.perf_counter()
        with _profiled(folder) as read:
            results = changes.build(project, UNIFIED, Wanted(is_tested=False))
        failed = [f"{result.name}: {result.message}" for result in results if not result.is_ok]
        assert not failed, failed
        seconds.append(time.perf_counter() - started)
    names = [model.name for model in Lineage(project.manifest(), contracts).rebuilt.values()]
    written: Counter[str] = Counter()
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        for name in names:
            row = connection.execute(f"select count(*) from changes.{name} where is_new").fetchone()
            written[name] = row[0] if row else 0
    return Counter({name: read[name] for name in names}), written, (seconds[0], seconds[1])


def _arrive(source: Path, target: Path, until: date) -> None:
    for file in sorted(source.glob("*/*")):
        found = _DAY.search(file.name)
        place = target / file.parent.name / file.name
        if not place.exists() and (found is None or found.group(0) <= f"{until:%Y%m%d}"):
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, place)


@contextmanager
def _profiled(folder: Path) -> Iterator[Counter[str]]:
    """Rows scanned by each model's statements while dbt works."""
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper

    read: Counter[str] = Counter()
    execute = DuckDBCursorWrapper.execute

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
                read[node.group(1)] += json.loads(file.read_text() or "{}").get("cumulative_rows_scanned", 0)
                file.unlink()
        return result

    DuckDBCursorWrapper.execute = profiled
    try:
        yield read
    finally:
        DuckDBCursorWrapper.execute = execute


if __name__ == "__main__":
    main()
