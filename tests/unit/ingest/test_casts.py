"""Text to types: the quick way agrees with a plain reading in Python, and the contract's own forms are read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zhongtai.ingest import casts
from zhongtai.sql import duckdb_type

LARGEST = {"integer": 2**31, "bigint": 2**63}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
WHOLE = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.0*)?", re.ASCII)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def cast(connection: duckdb.DuckDBPyConnection, texts: list[str], data_type: str, **options: Any) -> list[Any]:
    """The texts in a type, in one query as a column of a file is."""
    sql = casts.typed("s0", "VARCHAR", data_type, options.pop("zone", "UTC"), **options)
    query = f"select cast({sql} as {duckdb_type(data_type)}) from (select unnest(?) as s0, generate_subscripts(?, 1))"
    return [value for (value,) in connection.execute(query, [texts, texts]).fetchall()]


def read_number(text: str, data_type: str) -> Any:
    """A number by the contract's rules, in exact arithmetic; None where it is none or has no room."""
    text = text.strip()
    if not (WHOLE if data_type in LARGEST else NUMBER).fullmatch(text):
        return None
    number = Decimal(text.replace(",", ""))
    if data_type in LARGEST:
        return int(number) if -LARGEST[data_type] <= number < LARGEST[data_type] else None
    if abs(number) >= Decimal(10) ** 17:
        return None
    number = number.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return number if abs(number) < Decimal(10) ** 16 else None


numbers = st.one_of(
    st.text("0123456789+-.eE_, x\t", max_size=14),
    st.integers(-(2**65), 2**65).map(str),
    st.decimals(-(10**17), 10**17, places=3).map(str),
    st.from_regex(WHOLE, fullmatch=True).map(lambda text: text[:20]),
)


@settings(max_examples=60, deadline=None)
@example(
    [
        "1_000",
        "1.5",
        ".5",
        "5.",
        "0E0.",
        "1e2.",
        "+5",
        "-0",
        "007",
        "1,000",
        "12,34",
        "1e2",
        "0x1F",
        "0b1",
        " 7 ",
        "- ",
        "\t+-1",
        "+\t",
        "9223372036854775808",
    ]
)
@given(st.lists(numbers, min_size=1, max_size=60))
def test_numbers_agree_with_exact_arithmetic(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    for data_type in ("integer", "bigint", "decimal(18,2)"):
        expected = [read_number(text, data_type) for text in texts]
        assert cast(connection, texts, data_type) == expected, data_type


@settings(max_examples=60, deadline=None)
@example(["9999-12-31 23:59:59", "1986-06-01 12:00:00", "1940-06-03 00:30:00", "2024-02-30 00:00:00"])
@example(["2015-02-21 23:00:00", "2024-11-03 01:30:00", "2015-10-18 00:30:00", "2024-03-10 02:30:00"])
@given(
    st.lists(
        st.one_of(
            st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.isoformat(sep=" ")),
            st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.isoformat()),
            st.text("0123456789-/: T.Z", max_size=20),
        ),
        min_size=1,
        max_size=40,
    )
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Sao_Paulo", "America/New_York"])
def test_local_moments_agree_with_the_calendar(
    connection: duckdb.DuckDBPyConnection, zone: str, texts: list[str]
) -> None:
    pattern = re.compile(
        r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?", re.ASCII
    )
    for text, found in zip(texts, cast(connection, texts, "timestamp", zone=zone), strict=True):
        parts = pattern.fullmatch(text)
        if parts is None:
            assert found is None or text.endswith("Z"), text
            continue
        *clock, fraction = parts.groups(default="0")
        try:
            year, month, day, hour, minute, second = map(int, clock)
            microsecond = int(fraction[:6].ljust(6, "0"))
            local = datetime(year, month, day, hour, minute, second, microsecond, ZoneInfo(zone))
        except ValueError:
            assert found is None or clock[3] == "24", text
            continue
        if not 2 <= local.year <= 9998 or local.astimezone(UTC).astimezone(ZoneInfo(zone)) != local:
            continue  # an hour that the clock skipped
        # The hour that a clock has twice is the later one, of standard time.
        assert found == local.replace(fold=1).astimezone(UTC).replace(tzinfo=None), text


@pytest.mark.parametrize(
    ("text", "data_type", "options", "expected"),
    [
        ("31.12.2024", "date", {"formats": ["%d.%m.%Y"]}, date(2024, 12, 31)),
        ("31.12.2024 08:00", "date", {"formats": ["%d.%m.%Y", "%d.%m.%Y %H:%M"]}, None),
        ("2024-12-31", "date", {"formats": ["%d.%m.%Y"]}, date(2024, 12, 31)),
        (
            "12/31/24 20:00",
            "timestamp",
            {"formats": ["%m/%d/%y %H:%M"], "zone": "Asia/Shanghai"},
            datetime(2024, 12, 31, 12),
        ),
        ("31/12/24 20:00", "timestamp", {"formats": ["%m/%d/%y %H:%M"]}, None),
        ("45351", "date", {"formats": ["excel"]}, date(2024, 2, 29)),
        ("45351.0", "date", {"formats": ["excel"]}, date(2024, 2, 29)),
        ("1", "date", {"formats": ["excel"]}, date(1900, 1, 1)),
        ("59", "date", {"formats": ["excel"]}, date(1900, 2, 28)),
        ("60", "date", {"formats": ["excel"]}, None),  # a day that only Excel has
        ("61", "date", {"formats": ["excel"]}, date(1900, 3, 1)),
        ("2958465", "date", {"formats": ["excel"]}, date(9999, 12, 31)),
        ("2958466", "date", {"formats": ["excel"]}, None),
        ("0", "date", {"formats": ["excel"]}, None),
        ("-1", "date", {"formats": ["excel"]}, None),
        ("45351.5", "date", {"formats": ["excel"]}, None),  # the time of day would be lost
        ("2024-02-29", "date", {"formats": ["excel"]}, date(2024, 2, 29)),
        ("20240229", "date", {"formats": ["%Y%m%d", "excel"]}, date(2024, 2, 29)),
        ("45351", "date", {"formats": ["%Y%m%d", "excel"]}, date(2024, 2, 29)),
        ("45351.5", "timestamp", {"formats": ["excel"]}, datetime(2024, 2, 29, 12)),
        ("45292.3333333333", "timestamp", {"formats": ["excel"], "zone": "Asia/Shanghai"}, datetime(2024, 1, 1)),
        ("1.234,56", "decimal(18,2)", {"decimal": ","}, Decimal("1234.56")),
        ("1.234", "bigint", {"decimal": ","}, 1234),
        ("1,5", "double", {"decimal": ","}, 1.5),
        ("1.23", "decimal(18,2)", {"decimal": ","}, None),
        ("1,234.5", "double", {}, 1234.5),
        ("1e400", "double", {}, None),
        ("nan", "double", {}, None),
        ("\u3000是 \t", "string", {}, "是"),
        ("\u00a0", "string", {}, None),
        ("Ja", "boolean", {}, None),
        (" YES", "boolean", {}, True),
        ("9999-12-31", "date", {}, date(9999, 12, 31)),
        ("0000-01-01", "date", {}, None),
        ("2024-01-05T00:00:00", "date", {}, date(2024, 1, 5)),
        ("2024-01-05 10:00:00+08:00", "timestamp", {"zone": "America/New_York"}, datetime(2024, 1, 5, 2)),
    ],
)
def test_forms_of_a_value(
    connection: duckdb.DuckDBPyConnection, text: str, data_type: str, options: dict[str, Any], expected: Any
) -> None:
    # Beside a usual value, so that the quick way is in the query as well.
    assert cast(connection, [text, ""], data_type, **options) == [expected, None]


def test_a_clock_that_no_longer_changes_is_subtracted_and_no_other() -> None:
    assert casts._steady_clock("Asia/Shanghai") == (datetime(1991, 9, 17), timedelta(hours=8))
    assert casts._steady_clock("America/New_York") is None
