"""Which type fits values as they came: what a contract would have to say to take them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zhongtai.ingest import casts
from zhongtai.sql import scalar

if TYPE_CHECKING:
    import duckdb

_TRUTHS = {"true", "false", "yes", "no", "t", "f", "y", "n"}
_LEADING_ZERO = re.compile(r"[+-]?0\d+")
_CENTS = re.compile(r"[+-]?[\d,]*(\.\d{1,2})?")
_TYPES = ("bigint", "decimal(18,2)", "double", "date", "timestamp")
_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d", "%Y年%m月%d日", "%d %b %Y")
_CLOCKS = ("", " %H:%M:%S", " %H:%M")


def fits(connection: duckdb.DuckDBPyConnection, values: Sequence[str], data_type: str) -> bool:
    """Whether every value can be said in a contract's type."""
    return _all(connection, values, casts.typed("value", "VARCHAR", data_type, "UTC"))


def type_line(connection: duckdb.DuckDBPyConnection, values: Sequence[str]) -> str:
    """The narrowest type that takes every value, as YAML of a column, with how its dates or numbers are written."""
    if not values:
        return "data_type: string"
    if {value.strip().lower() for value in values} <= _TRUTHS:
        return "data_type: boolean"
    if any(_LEADING_ZERO.fullmatch(value.strip()) for value in values):
        return "data_type: string"  # a number would lose the zeros
    for data_type in _TYPES:
        if fits(connection, values, data_type):
            if data_type != "decimal(18,2)":
                return f"data_type: {data_type}"
            has_cents = all(_CENTS.fullmatch(value.strip()) for value in values)
            return f'data_type: "{data_type}"' if has_cents else "data_type: double"
    return _written_otherwise(connection, values) or "data_type: string"


def as_days(connection: duckdb.DuckDBPyConnection, values: Sequence[str], data_type: str) -> str | None:
    """YAML of a column of dates or timestamps, where every value is one as Excel counts its days."""
    if data_type not in ("date", "timestamp") or not values:
        return None
    typed = casts.typed("value", "VARCHAR", data_type, "UTC", formats=[casts.EXCEL])
    return _formats(data_type, casts.EXCEL) if _all(connection, values, typed) else None


def _formats(data_type: str, form: str) -> str:
    return f'data_type: {data_type}, config: {{meta: {{formats: ["{form}"]}}}}'


def _written_otherwise(connection: duckdb.DuckDBPyConnection, values: Sequence[str]) -> str | None:
    number = casts.typed("value", "VARCHAR", "decimal(18,2)", "UTC", decimal=",")
    if _all(connection, values, number):
        return 'data_type: "decimal(18,2)", config: {meta: {decimal: ","}}'
    for clock in _CLOCKS:
        for day in _DAYS:
            data_type = "timestamp" if clock else "date"
            form = f"{day}{clock}"
            if _all(connection, values, casts.typed("value", "VARCHAR", data_type, "UTC", formats=[form])):
                return _formats(data_type, form)
    return None


def _all(connection: duckdb.DuckDBPyConnection, values: Sequence[str], typed: str) -> bool:
    connection.execute("create or replace temp table to_fit as select unnest(?::varchar[]) as value", [list(values)])
    return scalar(connection, f"select count(*) from to_fit where ({typed}) is null") == 0
