"""`dictionary.json` and `dictionary.html` of a release, without the wall clock: same content, same bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel

from zhongtai.dictionary.facts import ColumnFacts, TableFacts
from zhongtai.dictionary.freshness import Freshness
from zhongtai.quality.results import CheckResult

if TYPE_CHECKING:
    from zhongtai.release.manifest import Manifest

LAYERS = {"marts": ("Marts", "集市层"), "unified": ("Unified", "统一层")}
DOMAINS = {
    "user": "用户",
    "product": "商品",
    "order": "订单",
    "supply": "供应链",
    "shared": "公共",
    "marketing": "营销",
    "operations": "运营",
}
# A Chinese term in brackets at the end of a description: the label says it already.
_TERM = re.compile(r"\s*\((?=[^()]*[\u4e00-\u9fff])[^()]*\)")


class Column(ColumnFacts):
    """A column of the dictionary."""

    name: str
    type: str
    description: str
    is_key: bool = False


class Table(BaseModel):
    """A table of the dictionary: what dbt says, and what the release knows.

    Attributes:
        facts: key, lineage, policies, domain.
        latest: how fresh it is; None where it has no date and stands on nothing that landed.
        connected, not_connected: silos whose rows can become rows of it.
    """

    name: str
    description: str
    facts: TableFacts
    rows: int
    latest: Freshness | None
    connected: list[str]
    not_connected: list[str]
    checks_passed: int
    checks_warned: int
    columns: list[Column]


class Dictionary(BaseModel):
    """The whole of `dictionary.json`."""

    merchant: str
    title: str
    as_of: str
    silos: dict[str, str]
    policies: dict[str, str]
    tables: list[Table]


def make(
    manifest: Manifest,
    facts: Mapping[str, TableFacts],
    latest: Mapping[str, Freshness | None],
    checks: Sequence[CheckResult],
) -> Dictionary:
    """Brings together what the project says and what the release holds.

    Args:
        latest: how fresh each table is.
    """
    outcomes: dict[str, list[bool]] = {}
    for check in checks:
        outcomes.setdefault(f"{check.schema_name}.{check.table}", []).append(check.status == "passed")
    tables = []
    for name, entry in sorted(manifest.tables.items()):
        about = facts.get(name, TableFacts())
        connected = [silo for silo in about.silos if manifest.silos.get(silo) == "connected"]
        passed = outcomes.get(name, [])
        columns = []
        for column in entry.columns:
            known = about.columns.get(column.name, ColumnFacts())
            is_key = column.name in about.key
            columns.append(Column(**known.model_dump(), **column.model_dump(), is_key=is_key))
        tables.append(
            Table(
                name=name,
                description=entry.description,
                facts=about.model_copy(update={"columns": {}}),
                rows=entry.rows,
                latest=latest.get(name),
                connected=connected,
                not_connected=[silo for silo in about.silos if manifest.silos.get(silo) == "not connected"],
                checks_passed=sum(passed),
                checks_warned=len(passed) - sum(passed),
                columns=columns,
            )
        )
    used = {policy for table in tables for policy in table.facts.policies}
    return Dictionary(
        merchant=manifest.merchant,
        title=manifest.title,
        as_of=f"{manifest.as_of:%Y-%m-%d %H:%M} UTC",
        silos=manifest.silos,
        policies={
            name: f"{_value(policy.value)} {policy.unit}".strip() if policy.value != [] else "—"
            for name, policy in manifest.policies.items()
            if name in used
        },
        tables=tables,
    )


def render(dictionary: Dictionary) -> str:
    """One HTML page that needs nothing else."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["without_term"] = lambda text: _TERM.sub("", text)
    return environment.get_template("page.html.jinja").render(
        dictionary=dictionary, groups=_groups(dictionary.tables), domains=DOMAINS
    )


def _groups(tables: Sequence[Table]) -> list[tuple[tuple[str, str], str, list[Table]]]:
    """Layer, domain and tables, marts first."""
    order = [*LAYERS, *sorted({_layer(table) for table in tables} - set(LAYERS))]
    ordered = sorted(tables, key=lambda table: (order.index(_layer(table)), table.facts.domain, table.name))
    grouped = groupby(ordered, key=lambda table: (_layer(table), table.facts.domain))
    return [(LAYERS.get(layer, (layer, layer)), domain, list(found)) for (layer, domain), found in grouped]


def _layer(table: Table) -> str:
    return table.name.split(".", 1)[0]


def _value(value: float | list[float]) -> str:
    return ", ".join(f"{each:g}" for each in value) if isinstance(value, list) else f"{value:g}"
