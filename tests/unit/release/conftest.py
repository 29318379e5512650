"""A merchant with a private warehouse that a test fills, and short ways to publish it and look at what came out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from zhongtai.merchant import Merchant
from zhongtai.policies import PolicyInForce
from zhongtai.quality import report
from zhongtai.quality.results import CheckResult
from zhongtai.release import publish, store
from zhongtai.release.manifest import Manifest, ReleaseSpec, SourceCounts, TableSpec
from zhongtai.sql import quote_identifier, quote_literal

ORDERS = """
    select * from (values
        (1, date '2024-01-05', 10.50::decimal(18,2), 'a'), (2, date '2024-01-31', 20.25, 'b'),
        (3, date '2024-02-01', 30.00, ''), (4, date '2024-03-09', 40.75, null)
    ) as orders(order_id, placed_date, paid_amount, note)
"""
DAYS = (
    "select placed_date as stat_date, sum(paid_amount)::decimal(18,2) as paid_amount from unified.fct_orders group by 1"
)
SOURCE = {
    "files": 2,
    "files_rejected": 0,
    "rows_read": 15,
    "rows_loaded": 10,
    "rows_quarantined": 1,
    "rows_duplicate": 2,
    "rows_superseded": 1,
    "rows_erased": 1,
}
BY_MONTH = {"unified.fct_orders": TableSpec(partition_column="placed_date")}


class House:
    """A merchant below a folder.

    Attributes:
        folder: the merchant's home and all that a test makes beside it.
        releases: what readers open.
    """

    BY_MONTH = BY_MONTH
    SOURCE = SOURCE

    # One for all: to connect takes longer than all that a test does with it.
    _private = duckdb.connect()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.merchant = Merchant(
            name="small",
            title="Small shop",
            time_zone="Asia/Shanghai",
            currency="CNY",
            locale="zh_CN",
            silos={},
            file=folder / "small.yml",
            home=folder / "small",
        )
        self.releases = self.merchant.releases
        self._run = 0

    def build(self, **tables: str) -> None:
        """Makes the warehouse anew: `unified__fct_orders="select …"`; without tables, orders and their days."""
        given = tables or {"unified__fct_orders": ORDERS, "marts__mart_days": DAYS}
        self.merchant.warehouse.mkdir(parents=True, exist_ok=True)
        self.merchant.database.unlink(missing_ok=True)
        statements = ["create schema unified", "create schema marts", "create schema staging"]
        statements.append("create table staging.private as select 1 as one")
        for name, query in given.items():
            schema, table = name.split("__", 1)
            statements.append(f"create table {schema}.{quote_identifier(table)} as {query}")
        self.change("; ".join(statements))

    def change(self, sql: str) -> None:
        """Does something to the warehouse."""
        self._private.execute(
            f"set TimeZone = 'UTC'; attach {quote_literal(str(self.merchant.database))} as zhongtai; use zhongtai"
        )
        try:
            self._private.execute(sql)
        finally:
            self._private.execute("use memory; detach zhongtai")

    def publish(
        self,
        tables: Mapping[str, TableSpec] = BY_MONTH,
        checks: list[CheckResult] | None = None,
        run_id: str | None = None,
    ) -> Manifest:
        """Publishes the warehouse as a run of its own."""
        self._run += 1
        spec = ReleaseSpec(
            run_id=run_id or f"{self._run:08d}-run",
            as_of=datetime(2024, 3, 10, tzinfo=UTC),
            known_at=7,
            git_sha="0123abc",
            fingerprint=f"mark {self._run}",
            policies={
                "payback_days": PolicyInForce(value=30, unit="days", since=date(2024, 3, 1), source="merchant"),
                "tiers": PolicyInForce(value=[1, 2.5], unit="CNY", since=date(1970, 1, 1), source="default"),
            },
            silos={"shop": "connected", "crm": "not connected"},
            tables=dict(tables),
            sources={"shop.orders": SourceCounts.model_validate(SOURCE)},
            checks=checks or [],
        )
        return publish.publish(self.merchant, spec)

    def database(self, release: Manifest | None = None) -> Path:
        """What readers open: of a release, or of the current one."""
        return self.releases / (release.release_id if release else "current") / "zhongtai.duckdb"

    def read(self, query: str, release: Manifest | None = None) -> list[tuple[Any, ...]]:
        """What a reader sees."""
        with duckdb.connect(str(self.database(release)), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def file(self, release: Manifest, table: str, name: str) -> Path:
        """A Parquet file of `schema.table`."""
        return self.releases / release.release_id / "parquet" / Path(*table.split(".", 1)) / name

    def files(self, release: Manifest, table: str) -> dict[str, int]:
        """The rows of every Parquet file of `schema.table`, as pyarrow counts them."""
        folder = self.file(release, table, "x").parent
        return {file.name: pq.read_metadata(file).num_rows for file in sorted(folder.iterdir())}

    def current(self) -> str | None:
        """Where the link points to."""
        link = self.releases / "current"
        return str(link.readlink()) if link.is_symlink() else None

    def folders(self) -> set[str]:
        """The names of all folders of releases, whole or not."""
        return {each.name for each in self.releases.iterdir() if each.is_dir() and not each.is_symlink()}

    def ids(self) -> list[str]:
        """What is listed."""
        return [manifest.release_id for manifest in store.list_releases(self.merchant)]


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for all disks of the machine proves nothing here; the page has tests of its own."""
    monkeypatch.setattr(os, "sync", lambda: None)
    monkeypatch.setattr(report, "render", lambda title, *_: f"<h1>{title}</h1>")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A merchant with an empty home."""
    return House(tmp_path)


@pytest.fixture(scope="session")
def make_house() -> Callable[[Path], House]:
    """Makes a merchant below a folder."""
    return House


@pytest.fixture
def published(house: House) -> tuple[House, Manifest]:
    """A merchant whose four orders are published."""
    house.build()
    return house, house.publish()
