"""A merchant with three small tables of entities, whose stored rows and ledger the tests write themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant, SiloLocation

Columns = dict[str, str]
ORDERS: Columns = {"order_id": "varchar", "placed_at": "timestamp"}
EVENTS: Columns = {"event_id": "varchar", "occurred_at": "timestamp"}
STOCK: Columns = {"stock_date": "date", "units": "integer"}


def declare(silo: str, table: str, columns: Columns, entity: dict[str, Any], event_time: str | None) -> Contract:
    """The contract of an append table whose first column is its key; only an order's moment may be missing."""
    types = {"varchar": "string"}
    key = next(iter(columns))
    return Contract.model_validate(
        {
            "silo": silo,
            "table": table,
            "description": "d",
            "columns": [
                {
                    "name": name,
                    "source_name": name,
                    "description": "d",
                    "data_type": types.get(kind, kind),
                    "nullable": name not in (key, "occurred_at"),
                }
                for name, kind in columns.items()
            ],
            "file": f"{table}*.csv",
            "format": "csv",
            "load_mode": "append",
            "key": [key],
            "event_time": event_time,
            "entity": entity,
            "yaml_file": Path("small.yml"),
        }
    )


@pytest.fixture
def contracts() -> list[Contract]:
    """Orders that have no date of their own, events and days of stock that have."""
    return [
        declare("shop", "orders", ORDERS, {"name": "order", "column": "order_id"}, "placed_at"),
        declare("shop", "events", EVENTS, {"name": "event", "column": "event_id", "is_dated": True}, "occurred_at"),
        declare("erp", "stock", STOCK, {"name": "stock_day", "column": "stock_date", "is_dated": True}, "stock_date"),
    ]


@pytest.fixture
def merchant(tmp_path: Path) -> Merchant:
    """A merchant below a temporary folder."""
    found = Merchant(
        name="small",
        title="Small shop",
        time_zone="Asia/Shanghai",
        currency="CNY",
        locale="zh_CN",
        silos={silo: SiloLocation(path=str(tmp_path / silo)) for silo in ("shop", "erp")},
        file=tmp_path / "small.yml",
        home=tmp_path / "home",
    )
    found.warehouse.mkdir(parents=True)
    return found
