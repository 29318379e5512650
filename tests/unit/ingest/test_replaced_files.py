"""A file that lands again from the same place corrects the one before, in a table whose rows are only appended."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from zhongtai.ingest import landing, ledger, quarantine
from zhongtai.ingest.raw_views import create_raw_views

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

GOOD = "1,Li,paid,10.00,2024-05-01 10:00:00\n2,Wu,paid,20.00,2024-05-01 11:00:00\n"
BAD = "1,Li,paid,99999.00,2024-05-01 10:00:00\n2,Wu,paid,20.00,2024-05-01 11:00:00\n"


def _amounts(shop: Shop, known_at: int | None = None) -> list[tuple[int, float]]:
    with duckdb.connect() as warehouse:
        create_raw_views(warehouse, shop.merchant, shop.contracts, [], known_at=known_at)
        return warehouse.execute("select order_id, amount::double from raw_shop.orders order by all").fetchall()


def test_a_corrected_file_takes_the_place_of_the_first(shop: Shop) -> None:
    shop.declare(orders=shop.ORDERS)
    shop.put("orders.csv", shop.HEADER + BAD)
    shop.run()
    shop.put("orders.csv", shop.HEADER + GOOD)
    shop.run()

    assert _amounts(shop) == [(1, 10.0), (2, 20.0)]
    assert _amounts(shop, known_at=1) == [(1, 99999.0), (2, 20.0)]
    first, second = ledger.read(shop.merchant)
    assert (first.rows_read, first.rows_loaded, first.rows_superseded, first.replaced_by) == (2, 0, 2, 2)
    assert (second.rows_read, second.rows_loaded, second.replaced_by) == (2, 2, None)
    assert first.adds_up and second.adds_up


def test_going_back_to_the_first_content_is_news(shop: Shop) -> None:
    shop.declare(orders=shop.ORDERS)
    file = shop.put("orders.csv", shop.HEADER + GOOD)
    kept = shutil.copy2(file, shop.folder / "kept.csv")
    shop.run()
    shop.put("orders.csv", shop.HEADER + BAD)
    shop.run()
    shutil.copy2(kept, file)  # with its old time: only the content tells
    assert len(landing.waiting(shop.merchant, shop.contracts)) == 1
    shop.run()

    assert landing.waiting(shop.merchant, shop.contracts) == []
    assert _amounts(shop) == [(1, 10.0), (2, 20.0)]
    assert [load.replaced_by for load in ledger.read(shop.merchant)] == [2, 3, None]


def test_rows_of_later_files_are_judged_without_the_replaced_one(shop: Shop) -> None:
    """An order that only the replaced file and a later one have is not lost as the former's duplicate."""
    shop.declare(orders=shop.ORDERS)
    shop.put("orders_1.csv", shop.HEADER + BAD)
    shop.put("orders_2.csv", shop.HEADER + "2,Wu,paid,20.00,2024-05-01 11:00:00\n3,He,paid,30.00,2024-05-01 12:00:00\n")
    shop.run()
    shop.put("orders_1.csv", shop.HEADER + "1,Li,paid,10.00,2024-05-01 10:00:00\n")
    shop.run()

    assert _amounts(shop) == [(1, 10.0), (2, 20.0), (3, 30.0)]
    assert all(load.adds_up for load in ledger.read(shop.merchant))


def test_known_at_before_a_correction_shows_what_was_published_then(shop: Shop) -> None:
    """A row that two files had, and its correction took away from the first, is there once before and after."""
    shop.declare(orders=shop.ORDERS)
    shop.put("orders_1.csv", shop.HEADER + BAD)
    conflict = "1,Li,paid,7.00,2024-05-01 10:00:00\n"
    shop.put("orders_2.csv", shop.HEADER + "2,Wu,paid,20.00,2024-05-01 11:00:00\n" + conflict)
    shop.run()
    then = _amounts(shop)
    assert then == [(1, 99999.0), (2, 20.0)]
    shop.put("orders_1.csv", shop.HEADER + "3,He,paid,30.00,2024-05-01 12:00:00\n")
    shop.run()
    assert _amounts(shop) == [(1, 7.0), (2, 20.0), (3, 30.0)]
    assert _amounts(shop, known_at=2) == then
    assert _amounts(shop, known_at=1) == then


def test_waiting_lists_what_land_would_copy(shop: Shop) -> None:
    shop.declare(orders=shop.ORDERS)
    assert landing.waiting(shop.merchant, shop.contracts) == []
    shop.put("orders.csv", shop.HEADER + GOOD)
    shop.put("copy_of_orders.txt", "matches no contract")
    assert [source.path.rsplit("/", 1)[-1] for source in landing.waiting(shop.merchant, shop.contracts)] == [
        "orders.csv"
    ]
    shop.run()
    shop.put("orders_again.csv", shop.HEADER + GOOD)
    assert landing.waiting(shop.merchant, shop.contracts) == []


def test_a_correction_that_cannot_be_read_corrects_nothing(shop: Shop) -> None:
    """The rows of the file before hold until a correction comes that can be read."""
    shop.declare(orders=shop.ORDERS)
    shop.put("orders.csv", shop.HEADER + BAD)
    shop.put("orders_2.csv", shop.HEADER + "9,He,paid,30.00,2024-05-01 12:00:00\n")
    shop.run()
    for content in (b"\xff\xfe", b""):
        (shop.incoming / "orders.csv").write_bytes(content)
        shop.run()
        assert _amounts(shop) == [(1, 99999.0), (2, 20.0), (9, 30.0)]
    first, _, third, fourth = ledger.read(shop.merchant)
    assert [(load.status, load.replaced_by) for load in (first, third, fourth)] == [
        ("loaded", None),
        ("quarantined", 4),
        ("quarantined", None),
    ]
    shop.put("orders.csv", shop.HEADER + GOOD)
    shop.run()
    assert _amounts(shop) == [(1, 10.0), (2, 20.0), (9, 30.0)]
    assert _amounts(shop, known_at=4) == [(1, 99999.0), (2, 20.0), (9, 30.0)]
    loads = ledger.read(shop.merchant)
    assert [load.replaced_by for load in loads] == [5, None, 4, 5, None]
    assert all(load.adds_up for load in loads)
    assert not quarantine.degraded(shop.merchant)


@pytest.mark.parametrize("mode", ["append", "snapshot"])
def test_files_that_are_loaded_for_the_first_time_together_end_as_one_by_one(shop: Shop, mode: str) -> None:
    """What is loaded day by day, and all at once by a new contract, is the same, whatever of it can be read."""
    orders = {**shop.ORDERS, "load_mode": mode}
    shop.declare(orders=orders)
    for content in (BAD, None, GOOD, None):
        (shop.incoming / "orders.csv").write_text(shop.HEADER + content if content else "", encoding="utf-8")
        shop.run()
    before = [load.model_dump(exclude={"contract_hash"}) for load in ledger.read(shop.merchant)]
    assert _amounts(shop) == [(1, 10.0), (2, 20.0)]
    columns: Any = shop.ORDERS["columns"]
    status = {"data_type": "string", "allowed": ["paid", "open", "gone"]}
    shop.declare(orders={**orders, "columns": {**columns, "status": status}})
    shop.run()
    assert _amounts(shop) == [(1, 10.0), (2, 20.0)]
    after = [load.model_dump(exclude={"contract_hash"}) for load in ledger.read(shop.merchant)]
    # Files that are loaded together have their batch's number.
    assert [{**load, "batch": 0} for load in after] == [{**load, "batch": 0} for load in before]
