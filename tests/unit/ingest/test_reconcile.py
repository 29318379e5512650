"""Reconciliation sees what the ledger and the files do not agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from zhongtai.ingest import ledger, stored
from zhongtai.ingest.reconcile import reconcile

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

AT = "2024-05-01 10:00:00"
TABLE = ("shop", "orders")


@pytest.fixture
def loaded(shop: Shop) -> Shop:
    """Two files: one right, one with a fault, a duplicate and a conflict."""
    shop.put("orders_1.csv", shop.HEADER + f"1,Ann,paid,10.00,{AT}\n2,Bob,open,20.00,{AT}\n")
    shop.put("orders_2.csv", shop.HEADER + f"1,Ann,paid,10.00,{AT}\n2,Bob,open,9.00,{AT}\nx,,,,\n3,Eve,paid,1,{AT}\n")
    shop.run()
    return shop


def test_what_is_right_reconciles(loaded: Shop) -> None:
    assert reconcile(loaded.merchant, loaded.contracts) == {TABLE: []}


def test_a_row_that_raw_lost_is_told(loaded: Shop) -> None:
    file = stored.raw_file(loaded.merchant, *TABLE, 1)
    kept = duckdb.sql(f"select * from read_parquet('{file}') where order_id <> 2").to_arrow_table()
    duckdb.from_arrow(kept).write_parquet(str(file))
    (difference,) = reconcile(loaded.merchant, loaded.contracts)[TABLE]
    assert "orders_1.csv" in difference and "raw holds 1 rows, the ledger says 2" in difference


def test_a_row_that_quarantine_lost_is_told(loaded: Shop) -> None:
    (file,) = (loaded.merchant.quarantine / "shop" / "orders").glob("*.parquet")
    kept = duckdb.sql(f"select * from read_parquet('{file}') limit 1").to_arrow_table()
    duckdb.from_arrow(kept).write_parquet(str(file))
    (difference,) = reconcile(loaded.merchant, loaded.contracts)[TABLE]
    assert "orders_2.csv" in difference and "quarantine holds 1 rows, the ledger says 2" in difference


def test_counts_that_do_not_add_up_are_told(loaded: Shop) -> None:
    (first, _) = ledger.read(loaded.merchant)
    ledger.append(loaded.merchant, [first.model_copy(update={"rows_read": 5})])
    (difference,) = reconcile(loaded.merchant, loaded.contracts)[TABLE]
    assert "do not add up to 5 rows read" in difference


def test_a_file_that_was_not_loaded_and_one_that_is_gone_are_told(loaded: Shop) -> None:
    loaded.put("orders_3.csv", loaded.HEADER)
    loaded.land()
    assert reconcile(loaded.merchant, loaded.contracts)[TABLE] == ["orders_3.csv has landed, and was not loaded"]
    stored.raw_file(loaded.merchant, *TABLE, 1).unlink()
    assert "is gone" in reconcile(loaded.merchant, loaded.contracts)[TABLE][1]
