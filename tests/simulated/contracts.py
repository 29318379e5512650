"""The contracts of the ten silos, read from their YAML without the platform's code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from zhongtai.settings import PROJECT_ROOT

SOURCES = PROJECT_ROOT / "transform" / "models" / "sources"
ZONE = "Asia/Shanghai"
SILOS = (
    "storefront",
    "marketplace",
    "live",
    "stores",
    "crm",
    "marketing",
    "market",
    "erp",
    "logistics",
    "weather",
)


@dataclass(frozen=True)
class Column:
    """A column as its contract states it."""

    name: str
    header: str
    data_type: str
    nullable: bool
    allowed: tuple[str, ...]
    zone: str
    personal_data: str


@dataclass(frozen=True)
class Contract:
    """A table as its contract states it; `columns` in the contract's order."""

    silo: str
    table: str
    meta: dict[str, Any]
    columns: tuple[Column, ...]

    @property
    def key(self) -> list[str]:
        return list(self.meta["key"])

    @property
    def form(self) -> str:
        """jsonl, json, csv, parquet or xlsx."""
        return str(self.meta.get("format") or self.meta["file"].rsplit(".", 1)[-1])


@cache
def contracts() -> dict[tuple[str, str], Contract]:
    """Every table of the ten silos, by silo and name."""
    found = {}
    for silo in SILOS:
        source = yaml.safe_load((SOURCES / f"{silo}.yml").read_text(encoding="utf-8"))["sources"][0]
        for table in source["tables"]:
            meta = table["config"]["meta"]
            columns = tuple(_column(one, meta["key"]) for one in table["columns"])
            found[silo, table["name"]] = Contract(silo, table["name"], meta, columns)
    return found


def _column(declared: dict[str, Any], key: list[str]) -> Column:
    meta = declared.get("config", {}).get("meta", {})
    zone = meta.get("time_zone", "UTC")
    return Column(
        name=declared["name"],
        header=meta.get("source_name", declared["name"]),
        data_type=declared["data_type"],
        nullable=meta.get("nullable", declared["name"] not in key),
        allowed=tuple(meta.get("allowed", ())),
        zone=ZONE if zone == "local" else zone,
        personal_data=meta.get("personal_data", "none"),
    )
