"""Parquet: damaged files, and columns of other types than the contract's."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.faults.cases import Case, Maker, Rejected, one_file, table, whole_file

PARQUET = table("parquet")
ok: Maker = partial(one_file, PARQUET)
bad: Maker = partial(whole_file, PARQUET)


def written(columns: dict[str, Any], **options: Any) -> bytes:
    """A file of these columns; arrays of pyarrow or lists."""
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, **options)
    return content.getvalue()


def values(data_type: str, found: pa.Array, *meanings: Any, name: str, **options: Any) -> Case:
    """A column of values; a meaning of `...` is a value that the type does not have."""
    rows = [(row, value) for row, value in enumerate(meanings, start=1) if value is not ...]
    rejected = [Rejected(row, None, "value", "type") for row, value in enumerate(meanings, start=1) if value is ...]
    content = written({"id": list(range(1, len(meanings) + 1)), "value": found})
    return one_file(table("parquet", value=data_type), f"parquet: {name}", content, rows, *rejected, **options)


def _damaged(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + b"\xff" * (last - first) + content[last:]


def _two_of_a_name() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([[1], [2], ["a"]], names=["id", "id", "name"]), content)
    return content.getvalue()


MANY = written({"id": list(range(3000)), "name": [str(number * 7919) for number in range(3000)]}, compression="none")
GOOD = written({"id": [1], "name": ["a"]})
DAY_MS = 86_400_000
FILES = [
    bad("parquet: cut in the footer", GOOD[:-6], "not readable as Parquet"),
    bad("parquet: cut in the middle", MANY[: len(MANY) // 2], "not readable as Parquet"),
    bad("parquet: the front lacks", MANY[100:], "not readable as Parquet", 3000),
    bad("parquet: damaged pages", _damaged(MANY, 10, 12_000), "not readable as Parquet", 3000),
    bad("parquet: a damaged footer", _damaged(GOOD, len(GOOD) - 60, len(GOOD) - 10), "not readable as Parquet"),
    bad("parquet: only the marks", b"PAR1PAR1", "not readable as Parquet"),
    bad("parquet: an encrypted footer", GOOD[:-4] + b"PARE", "not readable as Parquet"),
    bad("parquet: a CSV file of that name", b"id,name\n1,a\n", "not readable as Parquet"),
    bad("parquet: empty file", b"", "empty"),
    ok("parquet: no rows", written({"id": pa.array([], pa.int64()), "name": pa.array([], pa.string())}), []),
    bad(
        "parquet: decimals of 256 bits, which the engine reads as other numbers",
        written({"id": [1], "name": pa.array([Decimal("12345678901234.56")], pa.decimal256(50, 2))}),
        "decimals of 50 digits",
        1,
    ),
    ok(
        "parquet: bytes that are no text",
        written({"id": [1, 2, 3], "name": pa.array([b"a", b"\xff\xfe", "茶".encode()], pa.binary())}),
        [(1, "a"), (3, "茶")],
        Rejected(2, None, None, "structure"),
    ),
    bad("parquet: missing column", written({"id": [1, 2]}), "'name' is missing", 2),
    ok("parquet: duplicate column", _two_of_a_name(), [(1, "a")], extra=[{"id_1": 2}]),
    ok("parquet: reordered columns", written({"name": ["a"], "id": [1]}), [(1, "a")]),
    ok(
        "parquet: nested extra column",
        written({"id": [1], "name": ["a"], "x": [{"y": [1, None], "z": "茶"}]}),
        [(1, "a")],
        extra=[{"x": {"y": [1, None], "z": "茶"}}],
    ),
    ok(
        "parquet: nulls in the key",
        written({"id": [1, None], "name": ["a", "b"]}),
        [(1, "a")],
        Rejected(2, None, "id", "null"),
    ),
    ok(
        "parquet: a key of another type",
        written({"id": [{"x": 1}], "name": ["a"]}),
        [],
        Rejected(1, None, "id", "type"),
    ),
    Case(
        "parquet: another schema in each file",
        PARQUET,
        (
            ("1", GOOD),
            ("2", written({"id": ["2", "x"], "name": [2, 3]})),
            ("3", written({"id": pa.array([3.0, 3.5]), "new": [1, 2], "name": pa.array([None, None], pa.null())})),
            ("4", written({"name": ["d"]})),
            ("5", written({"id": pa.array([5], pa.uint8()), "name": pa.array(["e"]).dictionary_encode()})),
        ),
        [(1, "a"), (2, "2"), (3, None), (5, "e")],
        [Rejected(2, None, "id", "type", 2), Rejected(2, None, "id", "type", 3)],
        {4: "'id' is missing"},
        [(1, 1, 0, 0, 0), (2, 1, 1, 0, 0), (2, 1, 1, 0, 0), (1, 0, 1, 0, 0), (1, 1, 0, 0, 0)],
        extra=[None, None, {"new": 1}, None],
    ),
]
TYPES = [
    values("bigint", pa.array([1, 2**63, 2**64 - 1], pa.uint64()), 1, ..., ..., name="unsigned beyond bigint"),
    values(
        "integer", pa.array([2**31 - 1, 2**31, None], pa.int64()), 2**31 - 1, ..., None, name="bigint beyond integer"
    ),
    values(
        "integer",
        pa.array([1.0, 1.5, float("nan"), float("inf"), 1e10]),
        1,
        ...,
        ...,
        ...,
        ...,
        name="doubles for whole numbers",
    ),
    values("bigint", pa.array([2.0**53, 9.3e18, -0.0]), 2**53, ..., 0, name="doubles beyond bigint"),
    values("bigint", pa.array([True, False]), ..., ..., name="booleans for numbers"),
    values(
        "bigint", pa.array([Decimal(2**63), Decimal(5)], pa.decimal128(38, 0)), ..., 5, name="decimals beyond bigint"
    ),
    values(
        "decimal(18,2)",
        pa.array([Decimal("1.005"), Decimal("1e20")], pa.decimal128(38, 3)),
        Decimal("1.01"),
        ...,
        name="decimals of more digits",
    ),
    values(
        "decimal(18,2)",
        pa.array([0.1, float("nan"), 1e17], pa.float64()),
        Decimal("0.10"),
        ...,
        ...,
        name="doubles for decimals",
    ),
    values("double", pa.array([float("nan"), float("-inf"), 1.5]), ..., ..., 1.5, name="doubles that are no number"),
    values("string", pa.array(["a", "b", "a"]).dictionary_encode(), "a", "b", "a", name="a dictionary"),
    values("string", pa.array(["a", None], pa.large_string()), "a", None, name="large texts"),
    values("string", pa.array([[1, 2], []]), "[1,2]", "[]", name="lists in a column of texts"),
    values("string", pa.array([None, None], pa.null()), None, None, name="a column without a type"),
    values("string", pa.array([2**53 + 1, -1]), "9007199254740993", "-1", name="numbers in a column of texts"),
    values("date", pa.array([date(2024, 2, 29), date(1000, 1, 1)]), date(2024, 2, 29), date(1000, 1, 1), name="dates"),
    values(
        "date",
        pa.array([5 * DAY_MS, 5 * DAY_MS], pa.date64()),
        date(1970, 1, 6),
        date(1970, 1, 6),
        name="dates of milliseconds",
    ),
    values(
        "date",
        pa.array([19_000, 5_000_000, 2**31 - 2], pa.date32()),
        date(2022, 1, 8),
        ...,
        ...,
        name="dates beyond 9999",
    ),
    values("date", pa.array([19_782, 3], pa.int32()), ..., ..., name="numbers for dates"),
    values(
        "timestamp",
        pa.array([datetime(2024, 5, 1, 10)], pa.timestamp("us", "Asia/Shanghai")),
        datetime(2024, 5, 1, 10),
        name="moments with a zone",
    ),
    values(
        "timestamp",
        pa.array([1_714_557_600_123_456_789], pa.timestamp("ns")),
        datetime(2024, 5, 1, 10, 0, 0, 123_456),
        name="nanoseconds",
    ),
    values(
        "timestamp",
        pa.array([1_714_557_600, 253_402_300_800], pa.timestamp("s")),
        datetime(2024, 5, 1, 10),
        ...,
        name="moments beyond 9999",
    ),
    values(
        "timestamp",
        pa.array([2**63 - 2, -(2**63) + 2], pa.timestamp("us")),
        ...,
        ...,
        name="moments at the end of the type",
    ),
    values("timestamp", pa.array([1_714_557_600]), ..., name="numbers for moments"),
    values("timestamp", pa.array([time(10)], pa.time64("us")), ..., name="an hour for a moment"),
    values("boolean", pa.array([0, 1, 2, None], pa.int8()), False, True, ..., None, name="numbers for booleans"),
]

CASES: list[Case] = [*FILES, *TYPES]
