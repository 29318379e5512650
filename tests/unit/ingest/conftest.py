"""A small shop with folders of its own, and contracts written as the dbt sources YAML that they are read from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from zhongtai.ingest import contract, landing, ledger, loader, stored
from zhongtai.merchant import Merchant, SiloLocation

ORDERS: dict[str, Any] = {
    "file": "orders*.csv",
    "load_mode": "append",
    "key": ["order_id"],
    "event_time": "placed_at",
    "columns": {
        "order_id": {"data_type": "bigint"},
        "buyer": {"data_type": "string", "personal_data": "identifier"},
        "status": {"data_type": "string", "allowed": ["paid", "open"]},
        "amount": {"data_type": "decimal(18,2)", "nullable": False},
        "placed_at": {"data_type": "timestamp", "time_zone": "local"},
    },
}


class Shop:
    """A merchant below a temporary folder, and short ways to land, load and look.

    Attributes:
        incoming: the folder of the silo `shop`.
    """

    ORDERS = ORDERS
    HEADER = "order_id,buyer,status,amount,placed_at\n"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True)
        self._clock = 1_700_000_000
        self.merchant = Merchant(
            name="small",
            title="Small shop",
            time_zone="Asia/Shanghai",
            currency="CNY",
            locale="zh_CN",
            silos={"shop": SiloLocation(path=str(self.incoming))},
            file=folder / "small.yml",
            home=folder / "home",
        )
        self.contracts: list[contract.Contract] = []

    def declare(self, **tables: dict[str, Any]) -> None:
        """Writes the sources file and reads the contracts back from it."""
        declared = []
        for name, table in tables.items():
            columns = []
            for column, given in table["columns"].items():
                meta = {key: value for key, value in given.items() if key != "data_type"}
                columns.append(
                    {"name": column, "data_type": given["data_type"], "description": "d", "config": {"meta": meta}}
                )
            meta = {key: value for key, value in table.items() if key != "columns"}
            declared.append({"name": name, "description": "d", "config": {"meta": meta}, "columns": columns})
        sources = self.folder / "sources"
        sources.mkdir(exist_ok=True)
        content = {"sources": [{"name": "shop", "tables": declared}]}
        (sources / "shop.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        self.contracts = contract.load_contracts(sources)

    def put(self, name: str, content: str | bytes) -> Path:
        """A file arrives, a second after the one before."""
        file = self.incoming / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self._clock += 1
        os.utime(file, (self._clock, self._clock))
        return file

    def put_parquet(self, name: str, query: str) -> Path:
        """A Parquet file of a query's result arrives."""
        staging = self.folder / "staging.parquet"
        duckdb.sql(query).write_parquet(str(staging))
        return self.put(name, staging.read_bytes())

    def land(self) -> list[landing.LandedFile]:
        return landing.land(self.merchant, self.contracts)

    def run(self) -> list[ledger.FileLoad]:
        """Lands and loads what is new."""
        self.land()
        return loader.load_pending(self.merchant, self.contracts)

    def counts(self) -> list[tuple[int, int, int, int, int]]:
        """Rows read, loaded, quarantined, duplicate and superseded, of every file in landing order."""
        return [
            (load.rows_read, load.rows_loaded, load.rows_quarantined, load.rows_duplicate, load.rows_superseded)
            for load in ledger.read(self.merchant)
        ]

    def raw(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """The stored rows of every file, in landing order."""
        files = sorted(
            {
                stored.raw_file(self.merchant, load.silo, load.table, load.batch)
                for load in ledger.read(self.merchant)
                if load.table == table and load.status == "loaded"
            }
        )
        query = f"select {columns} from {stored.raw_rows(files)} order by _file_position, _row_number"
        with duckdb.connect() as connection:
            return connection.execute(query).fetchall()

    def rejected(self, table: str) -> list[dict[str, Any]]:
        """The quarantined rows of every file, in landing order, with `row_text` parsed."""
        files = sorted(str(file) for file in (self.merchant.quarantine / "shop" / table).glob("*.parquet"))
        if not files:
            return []
        with duckdb.connect() as connection:
            result = connection.execute("select * from read_parquet($1) order by position, row_number", [files])
            names = [column[0] for column in result.description]
            rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        return [{**row, "row_text": json.loads(row["row_text"])} for row in rows]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with one table, orders."""
    return _shop(tmp_path)


@pytest.fixture
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Shop]:
    """Makes shops, each in a folder of its own."""
    return lambda: _shop(tmp_path_factory.mktemp("shop"))


def _shop(folder: Path) -> Shop:
    small = Shop(folder)
    small.declare(orders=ORDERS)
    return small
