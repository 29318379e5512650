"""Values of text files: what they mean under a data type, or that they are no such value.

A value that would have to be guessed (1,5 or 05.01.2024), rounded to another whole number, or that has a unit, is no
value of its type. Money is the exception that the contract makes: a decimal is rounded half up to its scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

MONEY, LONG = "decimal(18,2)", "decimal(38,10)"
NEW_YORK = "timestamp in New York"
# Each is a column of one table; a timestamp is on the clock of its zone.
TYPES: dict[str, dict[str, str]] = {
    NEW_YORK: {"data_type": "timestamp", "time_zone": "America/New_York"},
    **{name: {"data_type": name} for name in ("string", "integer", "bigint", "double", "boolean", "date", "timestamp")},
    MONEY: {"data_type": MONEY},
    LONG: {"data_type": LONG},
}


@dataclass(frozen=True)
class Value:
    """A value of a CSV file (text), or of a JSON line (its JSON text), and its meaning; REJECTED for none."""

    data_type: str
    text: str
    meaning: Any
    form: str = "csv"


REJECTED = "rejected as type"


def _all(data_type: str, meanings: Mapping[str, Any]) -> list[Value]:
    return [Value(data_type, text, meaning) for text, meaning in meanings.items()]


def _json(data_type: str, meanings: Mapping[str, Any]) -> list[Value]:
    return [Value(data_type, text, meaning, "jsonl") for text, meaning in meanings.items()]


def _none(data_type: str, *texts: str, form: str = "csv") -> list[Value]:
    return [Value(data_type, text, REJECTED, form) for text in texts]


NUMBERS = [
    *_all("string", {"007": "007", "1.0": "1.0", "1e5": "1e5", "TRUE": "TRUE", "NULL": "NULL", "N/A": "N/A", "-": "-"}),
    *_all("string", {"2024-02-30": "2024-02-30", "nan": "nan", "0x1F": "0x1F", "1,234.50": "1,234.50"}),
    *_all(
        "bigint", {"007": 7, "+5": 5, "-0": 0, "1.0": 1, "1.": 1, "1,234": 1234, "-1,234,567": -1234567, " 12\t": 12}
    ),
    *_all(
        "bigint",
        {"9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63), "9007199254740993.0": 2**53 + 1},
    ),
    *_none(
        "bigint",
        "9223372036854775808",
        "-9223372036854775809",
        "1.5",
        "1.0000000000000000000001",
        "0.9999999999999999999",
    ),
    *_none(
        "bigint",
        "1e3",
        "0x10",
        "1_000",
        "1 000",
        "1,23",
        "12,34,567",
        ",123",
        "1,234,",
        "--5",
        "5-",
        "(12)",
        "12%",
        "12件",
    ),
    *_none("bigint", "１２", "٣", "nan", "inf", "true", "2024-05-01", "#N/A", "NULL", "1/2", "1.2.3", "²"),
    *_all("integer", {"2147483647": 2**31 - 1, "-2147483648": -(2**31), "2,147,483,647": 2**31 - 1}),
    *_none("integer", "2147483648", "-2147483649", "2147483647.5", "9" * 400),
    *_all(MONEY, {"1,234.50": Decimal("1234.50"), "1,234,567.891": Decimal("1234567.89"), "1.005": Decimal("1.01")}),
    *_all(MONEY, {"-1.005": Decimal("-1.01"), ".5": Decimal("0.50"), "5.": Decimal("5.00"), "0.004": Decimal("0.00")}),
    *_all(MONEY, {"9999999999999999.99": Decimal("9999999999999999.99"), "0.1" + "0" * 60 + "1": Decimal("0.10")}),
    *_none(MONEY, "9999999999999999.995", "10000000000000000", "9" * 100, "1e400"),
    *_none(
        MONEY,
        "12,34.50",
        "1.234,50",
        "1,5",
        "1 234.50",
        "12.5%",
        "¥12.50",
        "$12.50",
        "12.50元",
        "12.50 CNY",
        "nan",
        "-inf",
    ),
    *_all(LONG, {"1234567890123456789012345678.0123456789": Decimal("1234567890123456789012345678.0123456789")}),
    *_all(LONG, {"0.1": Decimal("0.1"), "9007199254740993.0000000001": Decimal("9007199254740993.0000000001")}),
    *_all("double", {"1e3": 1000.0, "-2.5E-3": -0.0025, "1,234.5": 1234.5, ".5": 0.5, "1e308": 1e308, "0.1": 0.1}),
    *_none(
        "double",
        "1e400",
        "-1e400",
        "9" * 400,
        "nan",
        "NaN",
        "-nan",
        "inf",
        "Infinity",
        "-inf",
        "1,5",
        "1e",
        "0x1p3",
        "50%",
        "1d",
    ),
]

OTHERS = [
    *_all("boolean", {"true": True, "FALSE": False, "1": True, "0": False, "Yes": True, "no": False, " True ": True}),
    *_none("boolean", "2", "-1", "maybe", "10", "nan", "truefalse"),
    *_all("date", {"2024-02-29": date(2024, 2, 29), "2024/1/5": date(2024, 1, 5), "2024-1-5": date(2024, 1, 5)}),
    *_all(
        "date",
        {"2024/01/05": date(2024, 1, 5), "2024-05-01 00:00:00": date(2024, 5, 1), "1900-02-28": date(1900, 2, 28)},
    ),
    *_all("date", {"9999-12-31": date(9999, 12, 31), "1000-01-01": date(1000, 1, 1)}),
    *_none("date", "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-04-31"),
    *_none(
        "date", "05.01.2024", "05/01/2024", "1/5/24", "24-01-05", "2024-05", "2024", "tomorrow", "now", "today", "epoch"
    ),
    *_none(
        "date",
        "0000-01-01",
        "10000-01-01",
        "-2024-01-01",
        "2024-01-01 BC",
        "infinity",
        "2024-05-01 10:00:00",
        "2024-01-05x",
    ),
    *_all(
        "timestamp",
        {"2024-05-01T10:00:00Z": datetime(2024, 5, 1, 10), "2024-05-01 10:00:00+08:00": datetime(2024, 5, 1, 2)},
    ),
    *_all(
        "timestamp",
        {"2024-05-01T10:00:00-0330": datetime(2024, 5, 1, 13, 30), "2024-05-01 10:00": datetime(2024, 5, 1, 10)},
    ),
    *_all(
        "timestamp",
        {
            "2024-05-01 10:00:00.5": datetime(2024, 5, 1, 10, 0, 0, 500_000),
            "2024/5/1 8:05:00": datetime(2024, 5, 1, 8, 5),
        },
    ),
    *_all(
        "timestamp",
        {"2024-05-01 10:00:00.123456": datetime(2024, 5, 1, 10, 0, 0, 123_456), "2024-05-01": datetime(2024, 5, 1)},
    ),
    *_all("timestamp", {"2024-05-01 10:00:00.123456789": datetime(2024, 5, 1, 10, 0, 0, 123_456)}),
    *_all("timestamp", {"9999-12-31 23:59:59": datetime(9999, 12, 31, 23, 59, 59)}),
    *_none(
        "timestamp",
        "2024-02-30 10:00:00",
        "2024-05-01 25:00:00",
        "2024-05-01 10:60:00",
        "2024-05-01 23:59:61",
        "10:00:00",
    ),
    *_none(
        "timestamp",
        "1714557600",
        "01.05.2024 10:00",
        "2024-05-01 10:00:00 PM",
        "2024-05-01 10:00:00 Mars/Phobos",
        "infinity",
    ),
    *_none(
        "timestamp",
        "0000-01-01 00:00:00",
        "10000-01-01 00:00:00",
        "2024-05-01T10:00:00+99:00",
        "now",
        "2024-05-01 10:00:00,5x",
    ),
    # The clock jumps over 02:30 in March: read on the offset before the jump. It shows 01:30 twice in November: the
    # second, winter time, as PostgreSQL reads it.
    *_all(
        NEW_YORK,
        {"2024-03-10 02:30:00": datetime(2024, 3, 10, 7, 30), "2024-03-10 03:30:00": datetime(2024, 3, 10, 7, 30)},
    ),
    *_all(
        NEW_YORK,
        {
            "2024-11-03 01:30:00": datetime(2024, 11, 3, 6, 30),
            "2024-11-03T01:30:00-05:00": datetime(2024, 11, 3, 6, 30),
        },
    ),
]

JSON_VALUES = [
    *_json(
        "bigint",
        {
            "9007199254740993": 2**53 + 1,
            "-9223372036854775808": -(2**63),
            "1e2": 100,
            "1.0": 1,
            '"12"': 12,
            "null": None,
        },
    ),
    *_none("bigint", "9223372036854775808", "1.5", "1e400", "true", '"x"', "[1]", "{}", "1e-1", '"1.5"', form="jsonl"),
    *_none("integer", "2147483648", "1e10", form="jsonl"),
    *_json(
        MONEY,
        {
            "1234567890123456.78": Decimal("1234567890123456.78"),
            "1.005": Decimal("1.01"),
            '"1,234.50"': Decimal("1234.50"),
        },
    ),
    *_json(MONEY, {"1e2": Decimal("100.00"), "-0.0": Decimal("0.00")}),
    *_none(MONEY, "1e17", "true", "[1.5]", '"¥5"', form="jsonl"),
    *_json("double", {"1e3": 1000.0, "0.1": 0.1, "5": 5.0}),
    *_none("double", "1e400", '"NaN"', "true", form="jsonl"),
    *_json(
        "string",
        {"12345678901234567890123": "12345678901234567890123", '"007"': "007", "1.50": "1.50", '""': None},
    ),
    *_json("string", {"true": "true", '[1, {"a": null}]': '[1,{"a":null}]', '"\\u8336\\ud83d\\ude00"': "茶😀"}),
    *_json("string", {'"a\\u0000b"': "a\0b", '"a\\nb"': "a\nb", '"null"': "null"}),
    *_json("boolean", {"true": True, "0": False, '"yes"': True}),
    *_none("boolean", "2", "[]", '"maybe"', form="jsonl"),
    *_json("date", {'"2024-02-29"': date(2024, 2, 29)}),
    *_none("date", '"2024-02-30"', "20240229", form="jsonl"),
    *_json("timestamp", {'"2024-05-01T10:00:00.250+08:00"': datetime(2024, 5, 1, 2, 0, 0, 250_000)}),
    *_none("timestamp", "1714557600", "1714557600000", "true", form="jsonl"),
]

VALUES = [*NUMBERS, *OTHERS, *JSON_VALUES]
