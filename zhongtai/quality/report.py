"""A page that shows what was checked: the headline, what is wrong with its rows, then everything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from zhongtai.quality.results import CheckResult

Outcome = Literal["failed", "errored", "warned", "passed"]

# From what stops a release to what is fine; each with its Chinese name.
OUTCOMES: dict[Outcome, str] = {"failed": "失败", "errored": "出错", "warned": "警告", "passed": "通过"}
LAYERS = {"raw": "Raw 原始层", "unified": "Unified 统一层", "marts": "Marts 集市层"}
# Exact decimals are text in JSON, and are still aligned as numbers.
FIGURE = re.compile(r"-?\d+(\.\d+)?")
KINDS = {"expectation": "expectation", "data_test": "dbt test", "reconciliation": "reconciliation"}


@dataclass(frozen=True)
class _Table:
    """The checks of one table, the worst first."""

    name: str
    checks: list[CheckResult]
    counts: dict[Outcome, int]


def outcome(result: CheckResult) -> Outcome:
    """What a result means: `failed` blocks, `warned` is shown, `errored` could not run."""
    if result.status == "failed":
        return "failed" if result.blocks else "warned"
    return result.status


def render(title: str, results: Sequence[CheckResult], facts: Mapping[str, str]) -> str:
    """One HTML page that needs nothing else.

    Args:
        title: headline, for example `Data quality of Complete Journey`.
        results: of expectations and dbt's data tests, in any order.
        facts: shown below the title, for example the run and its moment.
    """
    # Escaping is not optional: sample rows are whatever a silo sent.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["outcome"] = outcome
    environment.tests["figure"] = lambda value: FIGURE.fullmatch(str(value)) is not None
    return environment.get_template("report.html.jinja").render(
        title=title,
        facts=facts,
        counts=_counts(results),
        labels=OUTCOMES,
        kinds=KINDS,
        problems=[result for result in _worst_first(results) if result.status != "passed"],
        layers=_layers(results),
    )


def _counts(results: Sequence[CheckResult]) -> dict[Outcome, int]:
    found = [outcome(result) for result in results]
    return {each: found.count(each) for each in OUTCOMES}


def _worst_first(results: Sequence[CheckResult]) -> list[CheckResult]:
    order = list(OUTCOMES)
    return sorted(results, key=lambda result: (order.index(outcome(result)), result.schema_name, result.table))


def _layers(results: Sequence[CheckResult]) -> dict[str, list[_Table]]:
    """Tables by layer, from raw to marts; whatever else was checked comes last under its schema's name."""
    order = [*LAYERS, *sorted({_layer(result) for result in results} - set(LAYERS))]
    layers: dict[str, list[_Table]] = {}
    for layer in order:
        of_layer = sorted((each for each in results if _layer(each) == layer), key=_table_name)
        tables = [(name, list(checks)) for name, checks in groupby(of_layer, key=_table_name)]
        if tables:
            layers[LAYERS.get(layer, layer)] = [
                _Table(name, _worst_first(checks), _counts(checks)) for name, checks in tables
            ]
    return layers


def _layer(result: CheckResult) -> str:
    return "raw" if result.schema_name.startswith("raw_") else result.schema_name


def _table_name(result: CheckResult) -> str:
    return f"{result.schema_name}.{result.table}"
