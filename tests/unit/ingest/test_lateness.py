"""When the next file was expected, and which rows came after their business date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import landing, ledger
from zhongtai.ingest.lateness import Lateness, late_by, lateness

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)


def _orders(shop: Shop, name: str, *moments: str) -> None:
    """A file of orders at these local moments, each with an id that no other file has."""
    first = 100 * int(name.removesuffix(".csv").rpartition("_")[2])
    rows = (f"{first + number},Ann,paid,1,{moment}\n" for number, moment in enumerate(moments))
    shop.put(name, shop.HEADER + "".join(rows))


def _found(shop: Shop, now: datetime = NOW, table: str = "orders") -> Lateness:
    found = lateness(shop.contracts, landing.read_log(shop.merchant), ledger.read(shop.merchant), now)
    return found["shop", table]


def _rows_late(shop: Shop) -> list[int]:
    return [load.rows_late for load in ledger.read(shop.merchant)]


@pytest.mark.parametrize("is_together", [True, False])
def test_a_row_is_late_whose_business_date_the_table_had_gone_past(shop: Shop, is_together: bool) -> None:
    files = [
        ("orders_1.csv", ["2024-05-01 08:00:00", "2024-05-02 09:00:00", "2024-05-01 07:00:00"]),
        # Midnight in Shanghai parts the dates; another row of the latest date is in time.
        ("orders_2.csv", ["2024-05-01 23:59:59", "2024-05-02 00:00:00", "2024-05-03 00:00:01"]),
        ("orders_3.csv", ["2024-04-01 12:00:00", "2024-05-02 23:59:59", "2024-05-04 10:00:00"]),
        ("orders_4.csv", ["2024-05-05 10:00:00"]),
    ]
    for name, moments in files:
        _orders(shop, name, *moments)
        if not is_together:
            shop.run()
    shop.run()
    assert _rows_late(shop) == [0, 1, 2, 0]
    assert _found(shop).rows_late == 3


def test_dates_without_an_hour(shop: Shop) -> None:
    columns = {"id": {"data_type": "bigint"}, "day": {"data_type": "date"}}
    stock: dict[str, Any] = {
        "file": "stock*.csv",
        "load_mode": "append",
        "key": ["id"],
        "event_time": "day",
        "columns": columns,
    }
    shop.declare(stock=stock)
    shop.put("stock_1.csv", "id,day\n1,2024-05-02\n")
    shop.put("stock_2.csv", "id,day\n2,2024-05-02\n3,2024-05-01\n4,2024-05-03\n5,2024-04-30\n")
    shop.run()
    assert _rows_late(shop) == [0, 2]


def test_only_rows_that_are_stored_and_hold_are_counted(shop: Shop) -> None:
    shop.put("orders_1.csv", shop.HEADER + "1,Ann,paid,1,2024-05-01 10:00:00\n2,Ann,paid,1,2024-05-03 10:00:00\n")
    late = "".join(f"{one},1,2024-05-01 10:00:00\n" for one in ("1,Ann,paid", "3,Ann,stolen", "4,Ann,paid"))
    shop.put("orders_2.csv", shop.HEADER + late)
    shop.run()
    assert shop.counts()[1] == (3, 1, 1, 1, 0)
    assert _found(shop).rows_late == 1
    shop.put("orders_2.csv", shop.HEADER + "5,Ann,paid,1,2024-05-03 11:00:00\n")  # corrects it
    shop.run()
    assert _found(shop).rows_late == 0


def test_a_table_without_event_time_has_no_late_rows(shop: Shop) -> None:
    shop.declare(orders={key: value for key, value in shop.ORDERS.items() if key != "event_time"})
    _orders(shop, "orders_1.csv", "2024-05-02 09:00:00")
    _orders(shop, "orders_2.csv", "2024-05-01 09:00:00")
    shop.run()
    assert _rows_late(shop) == [0, 0]


@pytest.mark.parametrize(
    ("cadence", "age", "late"),
    [
        ("hourly", timedelta(hours=2), None),
        ("hourly", timedelta(hours=2, seconds=1), timedelta(hours=1, seconds=1)),
        ("daily", timedelta(days=2), None),
        ("daily", timedelta(days=5, hours=3), timedelta(days=4, hours=3)),
        ("weekly", timedelta(days=14), None),
        ("weekly", timedelta(days=15), timedelta(days=8)),
        ("monthly", timedelta(days=62), None),
        ("monthly", timedelta(days=63), timedelta(days=32)),
        ("once", timedelta(days=4000), None),
    ],
)
def test_late_is_what_was_expected_more_than_a_cadence_ago(
    shop: Shop, cadence: str, age: timedelta, late: timedelta | None
) -> None:
    shop.declare(orders={**shop.ORDERS, "cadence": cadence})
    _orders(shop, "orders_1.csv", "2024-05-02 09:00:00")
    shop.run()
    (file,) = landing.read_log(shop.merchant)
    assert late_by(shop.contracts[0], file, file.landed_at + age) == (late or timedelta(0))
    found = _found(shop, file.landed_at + age)
    assert found.is_late == (late is not None)
    if cadence == "daily" and late:
        assert found.message == "expected daily; what follows orders_1.csv is late by 4 days and 3 hours"


@pytest.mark.parametrize("cadence", ["hourly", "monthly", "once"])
def test_how_fresh_a_table_must_be_its_contract_may_say(shop: Shop, cadence: str) -> None:
    shop.declare(orders={**shop.ORDERS, "cadence": cadence, "freshness_hours": 36})
    _orders(shop, "orders_1.csv", "2024-05-02 09:00:00")
    shop.run()
    (file,) = landing.read_log(shop.merchant)
    for hours, late in ((36, 0), (37, 1), (84, 48)):
        assert late_by(shop.contracts[0], file, file.landed_at + timedelta(hours=hours)) == timedelta(hours=late)
    loaded_by = shop.contracts[0].hash
    shop.declare(orders={**shop.ORDERS, "cadence": cadence, "freshness_hours": 12})
    assert shop.contracts[0].hash == loaded_by, "no file is loaded again for it"


def test_what_never_arrived_and_what_only_was_mended(shop: Shop) -> None:
    assert _found(shop).last is None
    assert _found(shop).message == "no file has landed that matches orders*.csv"
    _orders(shop, "orders_1.csv", "2024-05-02 09:00:00")
    shop.run()

    def write(file: Path) -> None:
        file.write_text(shop.HEADER, encoding="utf-8")

    landing.land_mended(shop.merchant, "shop", "orders", "mended.csv", write, {1: "1"})
    last = _found(shop).last
    assert last is not None and last.name == "orders_1.csv"
