"""The five counts, against an independent model in plain Python over random files with faults."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhongtai.ingest import ledger

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

CELLS = {
    "id": ["1", "2", "3", " 4 ", "5.0", "", "x", "1.5"],
    "name": ["a", " a", "a,b", 'say "hi"', "two\nlines", "", "茶"],
    "kind": ["new", "new", "old", "", "other"],
    "amount": ["1", "1.00", "0.125", "-0.005", "", "1O"],
    "at": ["2024-05-01 10:00:00", "2024-05-02 23:00:00", "2024-05-31 25:00:00", ""],
}
TABLE: dict[str, Any] = {
    "file": "items_*.csv",
    "load_mode": "append",
    "key": ["id"],
    "event_time": "at",
    "columns": {
        "id": {"data_type": "bigint"},
        "name": {"data_type": "string"},
        "kind": {"data_type": "string", "allowed": ["new", "old"], "nullable": False},
        "amount": {"data_type": "decimal(18,2)"},
        "at": {"data_type": "timestamp", "time_zone": "local"},
    },
}

# A row is mostly whole; sometimes a value is missing or too many.
ROWS = st.tuples(
    *(st.sampled_from(values) for values in CELLS.values()), st.sampled_from(["", "", "", "", "", "short", "long"])
)
FILES = st.lists(st.lists(ROWS, max_size=12), min_size=1, max_size=3)


def _text(rows: list[tuple[str, ...]], quote_all: bool) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="\n")
    writer.writerow(CELLS)
    for *values, shape in rows:
        writer.writerow(values[:3] if shape == "short" else [*values, "surplus"] if shape == "long" else values)
    return buffer.getvalue()


def _parse(row: tuple[str, ...]) -> tuple[str | None, tuple[Any, ...], date | None]:
    """The row's first fault or None, its typed values, and its business date."""
    *values, shape = row
    if shape:
        return "structure", (), None
    number, name, kind, amount, at = (value.strip() or None for value in values)
    reasons = []
    if number is None:
        reasons.append("null")
    elif not re.fullmatch(r"\d+(\.0)?", number):
        reasons.append("type")
    if kind is None:
        reasons.append("null")
    elif kind not in ("new", "old"):
        reasons.append("allowed")
    money = None
    if amount is not None:
        if re.fullmatch(r"-?\d+(\.\d+)?", amount):
            money = Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)
        else:
            reasons.append("type")
    moment, day = None, None
    if at is not None:
        try:
            local = datetime.strptime(at, "%Y-%m-%d %H:%M:%S")
            day, moment = local.date(), local - timedelta(hours=8)
        except ValueError:
            reasons.append("type")
    if reasons:
        return reasons[0], (), day
    return None, (int(float(number or "")), name, kind, money, moment), day


def _append(files: list[list[tuple[str, ...]]]) -> tuple[Any, ...]:
    """What append makes of the files: counts, stored rows, rejections, and incomplete dates."""
    stored: dict[int, tuple[Any, ...]] = {}
    counts, rejections, dates = [], [], []
    for position, rows in enumerate(files, start=1):
        duplicates = 0
        rejected: list[tuple[int, int, str]] = []
        days: dict[date, int] = {}
        loaded = len(stored)
        for number, row in enumerate(rows, start=1):
            reason, values, day = _parse(row)
            if reason is None and values[0] in stored:
                if stored[values[0]][: len(values)] == values:
                    duplicates += 1
                    continue
                reason = "key_conflict"
            if reason is None:
                stored[values[0]] = (*values, position, number)
                continue
            rejected.append((position, number, reason))
            if day:
                days[day] = days.get(day, 0) + 1
        counts.append((len(rows), len(stored) - loaded, len(rejected), duplicates, 0))
        rejections += rejected
        dates.append(days)
    return counts, list(stored.values()), rejections, dates


@pytest.mark.parametrize("quote_all", [False, True])
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(files=FILES)
def test_append_agrees_with_the_model(make_shop: Callable[[], Shop], quote_all: bool, files: Any) -> None:
    shop = make_shop()
    shop.declare(items=TABLE)
    for number, rows in enumerate(files):
        # Blank lines at the end make every file new: equal files would land once.
        shop.put(f"items_{number}.csv", _text(rows, quote_all) + "\n" * number)
    shop.run()

    counts, stored, rejections, dates = _append(files)
    assert shop.counts() == counts
    assert shop.raw("items", "* exclude (_extra)") == stored
    assert [(row["position"], row["row_number"], row["reason"]) for row in shop.rejected("items")] == rejections
    assert [load.quarantined_dates for load in ledger.read(shop.merchant)] == dates
    assert all(load.adds_up for load in ledger.read(shop.merchant))


VERSIONED = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.integers(1, 3)), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
)


def _versions(files: Any, has_version: bool) -> list[tuple[int, ...]]:
    """Counts of upsert, by replaying the rows one at a time."""
    stored: list[tuple[int, int, tuple[Any, ...]]] = []  # file, row, values
    duplicates = [0] * len(files)
    for file, rows in enumerate(files):
        for number, row in enumerate(rows):
            same_key = [values for _, _, values in stored if values[0] == row[0]]
            if (row in same_key) if has_version else (same_key[-1:] == [row]):
                duplicates[file] += 1
            else:
                stored.append((file, number, row))
    holding: dict[Any, tuple[int, int, int]] = {}
    for file, number, values in stored:
        rank = (values[2] if has_version else 0, file, number)
        holding[values[0]] = max(holding.get(values[0], (0, -1, -1)), rank)
    loaded = [0] * len(files)
    for _, file, _ in holding.values():
        loaded[file] += 1
    kept = [sum(1 for other, _, _ in stored if other == file) for file in range(len(files))]
    return [
        (len(rows), loaded[file], 0, duplicates[file], kept[file] - loaded[file]) for file, rows in enumerate(files)
    ]


@pytest.mark.parametrize("has_version", [False, True])
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(files=VERSIONED)
def test_upsert_agrees_with_the_model(make_shop: Callable[[], Shop], has_version: bool, files: Any) -> None:
    shop = make_shop()
    columns = {"id": {"data_type": "bigint"}, "name": {"data_type": "string"}, "version": {"data_type": "integer"}}
    table: dict[str, Any] = {"file": "items_*.csv", "load_mode": "upsert", "key": ["id"], "columns": columns}
    shop.declare(items={**table, "version": "version"} if has_version else table)
    for number, rows in enumerate(files):
        lines = [f"{key},{name},{version}\n" for key, name, version in rows]
        shop.put(f"items_{number}.csv", "id,name,version\n" + "".join(lines) + "\n" * number)
    shop.run()
    assert shop.counts() == _versions(files, has_version)
