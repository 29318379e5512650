"""Raw schemas: what was known at a position, up to a moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest import ledger
from zhongtai.ingest.raw_views import create_raw_views

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "file": "items*.csv",
    "load_mode": "upsert",
    "key": ["id"],
    "version": "version",
    "event_time": "changed_on",
    "columns": {
        "id": {"data_type": "bigint"},
        "version": {"data_type": "integer"},
        "changed_on": {"data_type": "date"},
    },
}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def loaded(shop: Shop) -> Shop:
    """Three files: orders, then items, then more of both; Shanghai is eight hours ahead."""
    shop.declare(orders=shop.ORDERS, items=ITEMS)
    shop.put("orders_1.csv", shop.HEADER + "1,Ann,paid,1,2024-05-01 10:00:00\n2,Bo,lost,1,2024-05-01 11:00:00\n")
    shop.put("items_1.csv", "id,version,changed_on\n1,1,2024-05-01\n2,1,2024-05-01\n")
    shop.put("items_2.csv", "id,version,changed_on\n1,2,2024-05-02\n")
    shop.put("orders_2.csv", shop.HEADER + "3,Cy,paid,1,2024-05-03 01:00:00\n4,Di,paid,1,\n")
    shop.run()
    return shop


def _ids(warehouse: duckdb.DuckDBPyConnection, table: str, columns: str) -> list[tuple[Any, ...]]:
    return warehouse.execute(f"select {columns} from raw_shop.{table} order by all").fetchall()


def test_by_default_all_that_is_covered(loaded: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    context = create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])

    assert context.as_of == datetime(2024, 5, 2, 17, tzinfo=UTC)
    assert (context.as_of_date, context.known_at) == (date(2024, 5, 3), 4)
    assert _ids(warehouse, "orders", "order_id") == [(1,), (3,), (4,)]
    assert _ids(warehouse, "items", "id, version") == [(1, 2), (2, 1)]
    assert warehouse.execute("from raw_zhongtai.run_context").fetchall() == [
        ("small", "Small shop", "Asia/Shanghai", "CNY", "zh_CN", datetime(2024, 5, 2, 17), date(2024, 5, 3), 4)
    ]
    assert warehouse.execute("from raw_zhongtai.incomplete_dates").fetchall() == [
        ("shop", "orders", date(2024, 5, 1), 1)
    ]


def test_the_day_of_an_unreadable_file_is_incomplete(loaded: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    """Its name is all that tells the day; a file of that name that can be read completes it."""
    file = loaded.incoming / "orders_20240502.csv"
    file.write_bytes(b"\xff\xfe")
    (loaded.incoming / "items_20240502.csv").write_bytes(b"")  # when an item changed, its name does not tell
    (loaded.incoming / "orders_20249999.csv").write_bytes(b"")
    loaded.run()
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])
    days = "select table_name, business_date from raw_zhongtai.incomplete_dates order by all"
    assert warehouse.execute(days).fetchall() == [
        ("items", date(2024, 5, 2)),
        ("orders", date(2024, 5, 1)),
        ("orders", date(2024, 5, 2)),
    ]
    totals = ledger.table_totals(ledger.read(loaded.merchant))
    assert {table: counts.files_rejected for (_, table), counts in totals.items()} == {"orders": 2, "items": 1}
    file.write_text(loaded.HEADER + "5,Ed,paid,1,2024-05-02 10:00:00\n", encoding="utf-8")
    loaded.run()
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])
    assert ("orders", date(2024, 5, 2)) not in warehouse.execute(days).fetchall()


def test_a_rejected_row_makes_the_day_incomplete_on_which_it_counts(
    shop: Shop, warehouse: duckdb.DuckDBPyConnection
) -> None:
    """Its event time tells when it was written; it is all that there is where the day cannot be read."""
    columns = {**shop.ORDERS["columns"], "written_at": {"data_type": "timestamp", "time_zone": "local"}}
    shop.declare(orders={**shop.ORDERS, "columns": columns, "event_time": "written_at", "business_date": "placed_at"})
    rows = ["1,Ann,lost,1,2024-05-01 23:30:00,2024-05-04 10:00:00", "2,Bo,lost,1,yesterday,2024-05-05 10:00:00"]
    shop.put("orders.csv", "order_id,buyer,status,amount,placed_at,written_at\n" + "\n".join(rows) + "\n")
    shop.run()
    create_raw_views(warehouse, shop.merchant, shop.contracts, [], as_of=datetime(2024, 6, 1, tzinfo=UTC))
    days = "select business_date, quarantined_rows from raw_zhongtai.incomplete_dates order by all"
    assert warehouse.execute(days).fetchall() == [(date(2024, 5, 1), 1), (date(2024, 5, 5), 1)]


def test_known_at_forgets_later_files(loaded: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    context = create_raw_views(warehouse, loaded.merchant, loaded.contracts, [], known_at=2)
    assert context.as_of == datetime(2024, 5, 1, 2, tzinfo=UTC)
    assert _ids(warehouse, "orders", "order_id") == [(1,)]
    assert _ids(warehouse, "items", "id, version") == [(1, 1), (2, 1)]


def test_as_of_forgets_later_events_and_brings_older_versions_back(
    loaded: Shop, warehouse: duckdb.DuckDBPyConnection
) -> None:
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [], as_of=datetime(2024, 5, 1, 12, tzinfo=UTC))
    assert _ids(warehouse, "orders", "order_id") == [(1,), (4,)]  # 4 has no moment yet
    assert _ids(warehouse, "items", "id, version") == [(1, 1), (2, 1)]


def test_a_table_of_which_nothing_landed_is_empty_and_typed(loaded: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [], known_at=1)
    described = warehouse.execute("select column_name, column_type from (describe raw_shop.items)").fetchall()
    assert described == [
        ("id", "BIGINT"),
        ("version", "INTEGER"),
        ("changed_on", "DATE"),
        ("_extra", "VARCHAR"),
        ("_file_position", "INTEGER"),
        ("_row_number", "BIGINT"),
        ("_first_position", "INTEGER"),
    ]
    assert _ids(warehouse, "items", "*") == []
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])
    assert warehouse.execute("select column_name, column_type from (describe raw_shop.items)").fetchall() == described


def test_policies_are_a_table(loaded: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    policy = SimpleNamespace(
        policy="tier_amount",
        policy_name_zh="档位",
        position=2,
        position_name="second",
        value=90,
        unit="CNY",
        description="d",
        effective_from=date(2020, 1, 1),
        source="default",
    )
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [policy])
    assert warehouse.execute("from raw_zhongtai.policies").fetchall() == [
        ("tier_amount", "档位", 2, "second", 90.0, "CNY", "d", date(2020, 1, 1), "default")
    ]


def test_what_no_contract_names_any_more_is_dropped(loaded: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("create schema raw_gone; create view raw_gone.x as select 1; create schema marts")
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])
    loaded.declare(orders=loaded.ORDERS)
    create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])

    views = warehouse.execute("select schema_name, view_name from duckdb_views() where not internal").fetchall()
    schemas = {row[0] for row in warehouse.execute("select schema_name from duckdb_schemas()").fetchall()}
    assert views == [("raw_shop", "orders")]
    assert {"raw_shop", "raw_zhongtai", "marts"} <= schemas and "raw_gone" not in schemas


def test_nothing_landed_says_what_to_do(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ZhongtaiError, match=r"Nothing has landed for 'small'\. Put files .*incoming"):
        create_raw_views(warehouse, shop.merchant, shop.contracts, [])


def test_no_event_time_asks_for_a_moment(shop: Shop, warehouse: duckdb.DuckDBPyConnection) -> None:
    shop.declare(items={key: value for key, value in ITEMS.items() if key != "event_time"})
    shop.put("items.csv", "id,version,changed_on\n1,1,2024-05-01\n")
    shop.run()
    with pytest.raises(ZhongtaiError, match="--as-of"):
        create_raw_views(warehouse, shop.merchant, shop.contracts, [])
    context = create_raw_views(warehouse, shop.merchant, shop.contracts, [], as_of=datetime(2024, 5, 1))
    assert context.as_of == datetime(2024, 5, 1, tzinfo=UTC)


def test_a_position_that_is_none_and_a_contract_that_was_not_loaded_are_refused(
    loaded: Shop, warehouse: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(UsageError, match="give 1 to 4"):
        create_raw_views(warehouse, loaded.merchant, loaded.contracts, [], known_at=5)
    loaded.declare(orders={**loaded.ORDERS, "load_mode": "snapshot"}, items=ITEMS)
    with pytest.raises(ZhongtaiError, match=r"shop\.orders: orders_1\.csv was loaded by an older contract"):
        create_raw_views(warehouse, loaded.merchant, loaded.contracts, [])


def test_a_table_with_history_shows_every_version_once(shop: Shop) -> None:
    shop.declare(
        items={
            "file": "items*.csv",
            "load_mode": "upsert",
            "key": ["item_id"],
            "version": "changed_at",
            "event_time": "changed_at",
            "history": True,
            "columns": {
                "item_id": {"data_type": "string"},
                "cost": {"data_type": "decimal(18,2)"},
                "changed_at": {"data_type": "timestamp"},
            },
        }
    )
    shop.put("items_1.csv", "item_id,cost,changed_at\na,1,2024-05-01\nb,5,2024-05-01\n")
    shop.put("items_2.csv", "item_id,cost,changed_at\na,2,2024-05-02\na,3,2024-05-02\nb,5,2024-05-01\n")
    shop.run()
    with duckdb.connect() as warehouse:
        create_raw_views(warehouse, shop.merchant, shop.contracts, [])
        query = "select item_id, cost::double, changed_at::date::varchar from raw_shop.items order by all"
        assert warehouse.execute(query).fetchall() == [
            ("a", 1.0, "2024-05-01"),
            ("a", 3.0, "2024-05-02"),
            ("b", 5.0, "2024-05-01"),
        ]
