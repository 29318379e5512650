"""Reads tables of a release for comparison, and says which rows differ first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb
import pandas as pd

SHOWN_ROWS = 5
RATE_TOLERANCE = 1e-12


def bare_id(column: str, silo: str) -> str:
    """SQL: the integer inside of `<silo>:<integer>`, NULL for any other text."""
    inner = f"try_cast(substr({column}, {len(silo) + 2}) as bigint)"
    return f"case when {column} = '{silo}:' || {inner}::varchar then {inner} end"


def assert_table(
    database: duckdb.DuckDBPyConnection,
    table: str,
    expected: pd.DataFrame,
    key: Sequence[str],
    derived: Mapping[str, str] | None = None,
    joins: str = "",
) -> None:
    """A table holds the expected rows, in the columns that are expected.

    Args:
        database: The release.
        table: Schema and table.
        expected: Its rows; amounts in integer cents.
        key: Columns that name a row.
        derived: SQL by name, for expected columns that the table does not have.
        joins: SQL after the table's name.

    Raises:
        AssertionError: With the first rows that are missing, unexpected or different.
    """
    relation = database.sql(f"from {table}")
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    derived = derived or {}
    selected = []
    for column in map(str, expected.columns):
        sql = derived.get(column, f"{table}.{column}")
        is_money = column not in derived and types.get(column) == "DECIMAL(18,2)"
        selected.append(f"({sql} * 100)::bigint as {column}" if is_money else f"{sql} as {column}")
    found = database.sql(f"select {', '.join(selected)} from {table} {joins}").df()
    assert_same(found, expected, key, table)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame, key: Sequence[str], what: str) -> None:
    """Same rows by key and same values; `*_rate`, `*_share*`, `roas`, `roi` to 1e-12, all else exactly.

    Raises:
        AssertionError: With the first rows that are missing, unexpected or different.
    """
    names = list(key)
    found, expected = _ordered(found[list(expected.columns)], names), _ordered(expected, names)
    for name, frame in (("the release", found), ("the oracle", expected)):
        repeated = frame[frame.duplicated(names, keep=False)]
        assert repeated.empty, f"{what}: {name} repeats keys:\n{_shown(repeated)}"
    faults = []
    if not found[names].equals(expected[names]):
        sides = found[names].merge(expected[names], how="outer", on=names, indicator="side")
        for side, name in (("right_only", "missing in the release"), ("left_only", "not expected")):
            rows = sides.loc[sides["side"] == side, names]
            if not rows.empty:
                faults.append(f"{len(rows)} rows {name}:\n{_shown(rows)}")
        common = sides.loc[sides["side"] == "both", names]
        found, expected = (_ordered(frame.merge(common, on=names), names) for frame in (found, expected))
    for column in expected.columns.difference(names, sort=False):
        different = _differ(found[column], expected[column], _is_rate(column))
        if different.any():
            rows = found.loc[different, names].assign(found=found[column], expected=expected[column])
            faults.append(f"{column} differs in {len(rows)} of {len(found)} rows:\n{_shown(rows)}")
    assert not faults, f"{what}: " + "\n".join(faults)


def _ordered(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Rows in the order of their key; moments in one unit, as DuckDB's and the package's differ."""
    moments = frame.select_dtypes("datetime").columns
    return frame.astype(dict.fromkeys(moments, "datetime64[ns]")).sort_values(key, ignore_index=True)


def _is_rate(column: str) -> bool:
    return column.endswith("_rate") or "_share" in column or column in {"roas", "roi"}


def _differ(left: pd.Series, right: pd.Series, is_rate: bool) -> pd.Series:
    """Where two columns differ; NULL equals NULL only."""
    nulls = left.isna() | right.isna()
    far = (left.astype("float64") - right.astype("float64")).abs() > RATE_TOLERANCE if is_rate else left != right
    return (far & ~nulls) | (left.isna() != right.isna())


def assert_no_rows(database: duckdb.DuckDBPyConnection, query: str, what: str) -> None:
    """A query for faults finds none."""
    rows = database.sql(query).df()
    assert rows.empty, f"{what}: {len(rows)} rows:\n{_shown(rows)}"


def _shown(rows: pd.DataFrame) -> str:
    return rows.head(SHOWN_ROWS).to_string(index=False, float_format="{:.17g}".format)
