"""What a failed expectation found, in one line."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from zhongtai.quality.suites import UNEXPECTED_ROWS, ExpectationSpec

# How many columns of an offending row a line can bear.
SHOWN_COLUMNS = 5
# duckdb-engine and SQLAlchemy put the exception's class before DuckDB's own words.
EXCEPTION_PREFIX = re.compile(r"^(\([\w.]+\)|[\w.]+(Error|Exception):)\s+(?=\S)")


def failure(spec: ExpectationSpec, observed: dict[str, Any], samples: list[dict[str, object]]) -> str:
    """Why an expectation failed, for example `3 of 1,469,307 rows: sales_value = 99999.00 is outside 0 … 5,000`.

    Args:
        spec: the expectation.
        observed: the figures that Great Expectations gives.
        samples: offending rows, may be empty.
    """
    if spec.type == UNEXPECTED_ROWS:
        count = observed.get("observed_value")
        example = _values(list(samples[0])[:SHOWN_COLUMNS], samples[0]) if samples else ""
        return f"{_counted(count)}{': ' if count == 1 else ', for example '}{example}" if example else _counted(count)
    if "unexpected_count" in observed:
        return _broken_rows(spec, observed, samples)
    rule = _rule(spec).removeprefix("is ")
    return f"{_subject(spec)} is {_figure(observed.get('observed_value'))}, {rule}"


def error(text: str) -> str:
    """The first line of an exception's message, without the names of Python classes."""
    lines = text.strip().splitlines()
    line = lines[0].strip() if lines else "no message"
    while (shorter := EXCEPTION_PREFIX.sub("", line)) != line:
        line = shorter
    return line


def _broken_rows(spec: ExpectationSpec, observed: dict[str, Any], samples: list[dict[str, object]]) -> str:
    columns = _columns(spec)
    row = samples[0] if samples else {}
    known = [column for column in columns if column in row]
    what = f"{_values(known, row) or ', '.join(columns)} {_rule(spec)}"
    mostly = spec.kwargs.get("mostly", 1)
    allowed = f"; {mostly:.6g} of the rows must comply" if mostly < 1 else ""
    return f"{observed['unexpected_count']:,} of {_counted(observed.get('element_count'))}: {what}{allowed}"


def _rule(spec: ExpectationSpec) -> str:
    """What is wrong with a value, as a verb and what follows it."""
    low, high = spec.kwargs.get("min_value"), spec.kwargs.get("max_value")
    if low is not None and high is not None:
        return f"is outside {_figure(low)} … {_figure(high)}"
    if low is not None:
        return f"is less than {_figure(low)}"
    if high is not None:
        return f"is more than {_figure(high)}"
    return f"breaks “{spec.type.removeprefix('expect_').replace('_', ' ')}”"


def _subject(spec: ExpectationSpec) -> str:
    """What a figure is about: `mean of sales_value`, `row count`."""
    words = re.sub(r"^expect_(table|column)_(pair_)?|_to_(be|equal|have|match|exist).*$", "", spec.type)
    columns = ", ".join(_columns(spec))
    return " ".join([words.replace("_", " "), *(["of", columns] if columns else [])])


def _columns(spec: ExpectationSpec) -> list[str]:
    names = [spec.kwargs[key] for key in ("column", "column_A", "column_B") if key in spec.kwargs]
    return [*names, *spec.kwargs.get("column_list", [])]


def _values(columns: list[str], row: dict[str, object]) -> str:
    return ", ".join(f"{column} = {'NULL' if row[column] is None else row[column]}" for column in columns)


def _counted(count: Any) -> str:
    return f"{_figure(count)} row{'' if count == 1 else 's'}"


def _figure(value: Any) -> str:
    """A number with thousands separated and without a tail of zeros; all else as JSON."""
    if isinstance(value, (str, date)):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:,.4f}" if abs(value) >= 0.01 else f"{value:.4g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
