"""Which entities changed: twenty orders, events and days of stock, of which a few come, go or are replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from pydantic import ValidationError

from tests.unit.changes.conftest import declare
from zhongtai.changes.entities import Entities
from zhongtai.changes.lineage import Rebuilt
from zhongtai.changes.narrowing import RawViews
from zhongtai.changes.state import Built, load_marks
from zhongtai.ingest import ledger
from zhongtai.ingest.contract import Contract, Entity
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.raw_views import RunContext
from zhongtai.merchant import Merchant

AS_OF = datetime(2024, 5, 20, 12, tzinfo=UTC)
COLUMNS = {
    "orders": "order_id varchar, placed_at timestamp",
    "events": "event_id varchar, occurred_at timestamp",
    "stock": "stock_date date, units integer",
    "pickups": "pickup_id varchar, order_id varchar",
}
FACTS = [
    Rebuilt("model.zhongtai.fct_orders", "unified", "fct_orders", "order", "order_id", "placed_date", ("buyer",)),
    Rebuilt("model.zhongtai.fct_events", "unified", "fct_events", "event", "event_id", "event_date", ("device",)),
    Rebuilt("model.zhongtai.fct_stock", "unified", "fct_stock", "stock_day", "stock_date", "stock_date"),
]
SEEN = Rebuilt(
    "model.zhongtai.int_seen", "intermediate", "int_seen", "event_day", "seen_date", "seen_date", days_of="event"
)
Ids = set[tuple[Any, ...]]


class Warehouse:
    """A merchant's stored rows and ledger, and the facts that were made of them: twenty, one a day from 1 May."""

    def __init__(self, merchant: Merchant, contracts: list[Contract], connection: duckdb.DuckDBPyConnection) -> None:
        self.merchant, self.contracts, self.connection = merchant, contracts, connection
        self.loads: dict[int, FileLoad] = {}
        merchant.raw.mkdir(parents=True)
        connection.execute("create schema changes; create schema unified")
        connection.execute("create table changes.changed_persons (silo varchar, source_id varchar)")
        numbers = "from range(1, 21) as numbers(n)"
        day = "date '2024-04-30' + n::integer"
        connection.execute(
            f"create table unified.fct_orders as select 'shop:o' || n as order_id, {day} as placed_date, "
            f"'shop' as silo, 'b' || n as buyer, 'k' || n as sku_id, 'u' || n as user_id, "
            f"{day} + interval 10 hour as placed_at {numbers}"
        )
        connection.execute(
            f"create table unified.fct_events as select 'shop:e' || n as event_id, {day} as event_date, "
            f"'shop' as silo, 'd' || n as device {numbers}"
        )
        connection.execute(f"create table unified.fct_stock as select {day} as stock_date {numbers}")

    def land(
        self, position: int, table: str, rows: Iterable[tuple[Any, ...]], place: tuple[str, str] | None = None
    ) -> None:
        """A file's rows are stored, at another silo's table where `place` says so, and the ledger knows."""
        silo, name = place or ("erp" if table == "stock" else "shop", table)
        file = self.merchant.raw / silo / name / f"{position:08d}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        own = f"_extra varchar, _file_position integer default {position}, _row_number bigint"
        self.connection.execute(f"create or replace temp table landing ({COLUMNS[table]}, {own})")
        names = ", ".join(column.split()[0] for column in COLUMNS[table].split(", "))
        self.connection.executemany(f"insert into landing ({names}) values (?, ?)", list(rows))
        self.connection.execute(f"copy landing to '{file}' (format parquet)")
        self.tell(position, silo=silo, table=name)

    def tell(self, position: int, **told: Any) -> None:
        """The ledger has something new to say about a file."""
        known = self.loads.get(position)
        before = known.model_dump() if known else {"file": "f.csv", "contract_hash": "c1", "batch": position}
        self.loads[position] = FileLoad.model_validate({**before, "position": position, **told})
        ledger.append(self.merchant, [self.loads[position]])

    def built(self, as_of: datetime = AS_OF, known_at: int = 99) -> Built:
        """The warehouse as it is now was built."""
        marks = load_marks(self._known(known_at))
        return Built(loads=marks, as_of=as_of, as_of_date=_local_date(as_of), project="", models={})

    def changed(
        self,
        built: Built,
        as_of: datetime = AS_OF,
        known_at: int = 99,
        again: tuple[date, date] | None = None,
        models: list[Rebuilt] = FACTS,
    ) -> Entities:
        """What is found to have changed since."""
        loads = self._known(known_at)
        found = Entities(self.connection, self.merchant, self.contracts, loads, _context(as_of, known_at), built)
        found.find(models, again)
        return found

    def raw_views(self) -> RawViews:
        """What narrows the raw views and widens them again."""
        return RawViews(self.connection, self.merchant, self.contracts, self._known(99), _context(AS_OF, 99))

    def ids(self, entity: str) -> set[Any]:
        """The ids that were found."""
        query = f"select distinct entity_id from changes.changed_{entity}"
        return {found for (found,) in self.connection.execute(query).fetchall()}

    def rows(self, entity: str) -> Ids:
        """Ids, dates and whether they only moved."""
        query = f"select entity_id, entity_date, is_moved from changes.changed_{entity}"
        return set(self.connection.execute(query).fetchall())

    def shown(self, view: str, column: str) -> list[Any]:
        """A column of a raw view."""
        return [value for (value,) in self.connection.execute(f"select {column} from {view} order by all").fetchall()]

    def _known(self, known_at: int) -> list[FileLoad]:
        return [load for load in self.loads.values() if load.holds(known_at)]


def _context(as_of: datetime, known_at: int) -> RunContext:
    return RunContext("small", "", "Asia/Shanghai", "CNY", "zh_CN", as_of, _local_date(as_of), known_at)


def _local_date(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo("Asia/Shanghai")).date()


def _day(number: int) -> date:
    return date(2024, 5, number)


def _at(number: int, hour: int = 10) -> datetime:
    return datetime(2024, 5, number, hour)


@pytest.fixture
def warehouse(merchant: Merchant, contracts: list[Contract]) -> Iterator[Warehouse]:
    """Twenty orders in two files, as many events in one, and days of stock in one."""
    with duckdb.connect() as connection:
        made = Warehouse(merchant, contracts, connection)
        made.land(1, "orders", [(f"o{n}", _at(n)) for n in range(1, 18)])
        made.land(2, "orders", [(f"o{n}", _at(n)) for n in range(18, 21)])
        made.land(3, "events", [(f"e{n}", _at(n)) for n in range(1, 21)])
        made.land(4, "stock", [(_day(n), n) for n in range(1, 21)])
        yield made


def test_nothing_new_is_nothing_changed(warehouse: Warehouse) -> None:
    found = warehouse.changed(warehouse.built())
    assert [warehouse.ids(name) for name in ("order", "event", "stock_day")] == [set(), set(), set()]
    assert not any(changed.is_all for changed in found.changed.values())


def test_a_file_that_came_names_its_entities_whatever_their_age(warehouse: Warehouse) -> None:
    built = warehouse.built()
    warehouse.land(5, "orders", [("o2", _at(2)), ("o21", _at(20)), ("o2", _at(3))])
    found = warehouse.changed(built)
    assert warehouse.rows("order") == {("shop:o2", None, False), ("shop:o21", None, False)}
    assert warehouse.ids("event") == set() and not found.changed["order"].is_all


def test_a_file_that_went_names_its_entities(warehouse: Warehouse) -> None:
    warehouse.land(5, "orders", [("o7", _at(7))])
    built = warehouse.built()
    warehouse.changed(built, known_at=4)
    assert warehouse.ids("order") == {"shop:o7"}


@pytest.mark.parametrize("load_mode", ["append", "upsert"])
def test_the_only_file_of_a_table_that_went_names_its_entities(warehouse: Warehouse, load_mode: str) -> None:
    """As when known_at goes back before a silo's first file."""
    warehouse.land(5, "pickups", [("p1", "o7")], place=("stores", "pickups"))
    entity = Entity(name="order", column="order_id", silo="shop")
    told = {"silo": "stores", "table": "pickups", "entity": entity, "load_mode": load_mode, "key": ["pickup_id"]}
    warehouse.contracts.append(warehouse.contracts[0].model_copy(update=told))
    built = warehouse.built()
    warehouse.changed(built, known_at=4)
    assert warehouse.ids("order") == {"shop:o7"}


@pytest.mark.parametrize("name", ["order", "event", "stock_day"])
def test_where_every_file_went_everything_is_built(warehouse: Warehouse, name: str) -> None:
    found = warehouse.changed(warehouse.built(), known_at=0)
    assert found.changed[name].is_all


def test_a_file_that_was_replaced_names_what_it_had_and_what_the_other_has(warehouse: Warehouse) -> None:
    built = warehouse.built()
    warehouse.land(5, "orders", [("o18", _at(18)), ("o22", _at(19))])
    warehouse.tell(2, replaced_by=5)
    warehouse.changed(built)
    assert warehouse.ids("order") == {"shop:o18", "shop:o19", "shop:o20", "shop:o22"}


def test_a_file_of_another_table_of_the_entity_counts_under_its_silos_name(warehouse: Warehouse) -> None:
    """Pickups in stores tell of the shop's orders; a row that names none tells of none."""
    built = warehouse.built()
    orders = warehouse.contracts[0]
    entity = Entity(name="order", column="order_id", silo="shop")
    warehouse.contracts.append(orders.model_copy(update={"silo": "stores", "table": "pickups", "entity": entity}))
    warehouse.land(5, "orders", [("o3", _at(19)), (None, _at(19))], place=("stores", "pickups"))
    warehouse.changed(built)
    assert warehouse.ids("order") == {"shop:o3"}


def test_a_row_that_moves_to_another_entity_names_both_and_shows_all_its_versions(warehouse: Warehouse) -> None:
    columns = {"pickup_id": "varchar", "order_id": "varchar"}
    pickups = declare("shop", "pickups", columns, {"name": "order", "column": "order_id"}, None)
    warehouse.contracts.append(pickups.model_copy(update={"load_mode": "upsert"}))
    warehouse.land(5, "pickups", [("p1", "o1"), ("p2", "o2"), ("p3", "o3")])
    built = warehouse.built()
    warehouse.land(6, "pickups", [("p1", "o4")])
    warehouse.changed(built)
    assert warehouse.ids("order") == {"shop:o1", "shop:o4"}

    built = warehouse.built()
    warehouse.land(7, "orders", [("o1", _at(1, 11))])
    warehouse.changed(built)
    warehouse.raw_views().narrow()
    assert warehouse.ids("order") == {"shop:o1"}
    assert warehouse.shown("raw_shop.pickups", "order_id") == ["o4"], "the version that holds"


@pytest.mark.parametrize(
    "told", [{"contract_hash": "c2"}, {"rows_erased": 1}, {"rows_quarantined": 1}, {"status": "quarantined"}]
)
def test_a_file_that_was_loaded_another_way_may_have_changed_anything(
    warehouse: Warehouse, told: dict[str, Any]
) -> None:
    built = warehouse.built()
    warehouse.tell(2, **told)
    found = warehouse.changed(built)
    assert {name for name, changed in found.changed.items() if changed.is_all} == {"order"}


def test_a_file_that_went_and_is_not_stored_any_more_may_have_had_anything(warehouse: Warehouse) -> None:
    warehouse.land(5, "orders", [("o7", _at(7))])
    built = warehouse.built()
    (warehouse.merchant.raw / "shop" / "orders" / "00000005.parquet").unlink()
    found = warehouse.changed(built, known_at=4)
    assert {name for name, changed in found.changed.items() if changed.is_all} == {"order"}


@pytest.mark.parametrize("is_back", [False, True])
def test_the_moment_that_is_looked_from_moves(warehouse: Warehouse, is_back: bool) -> None:
    """What lies after the earlier and not after the later moment appears, or vanishes; what has no time stays."""
    warehouse.land(5, "orders", [("late", datetime(2024, 5, 18, 10, 0, 0, 1)), ("timeless", None)])
    moments = [datetime(2024, 5, 16, 10, tzinfo=UTC), datetime(2024, 5, 18, 10, tzinfo=UTC)]
    before, now = reversed(moments) if is_back else moments
    warehouse.changed(warehouse.built(as_of=before), as_of=now)
    assert warehouse.ids("order") == {"shop:o17", "shop:o18"}
    assert warehouse.ids("event") == {"shop:e17", "shop:e18"}
    assert warehouse.rows("stock_day") == {(_day(17), _day(17), False), (_day(18), _day(18), False)}


def test_dates_go_by_the_local_day(warehouse: Warehouse) -> None:
    """In Shanghai the day ends at 16:00 UTC."""
    built = warehouse.built(as_of=datetime(2024, 5, 18, 15, 59, tzinfo=UTC))
    warehouse.changed(built, as_of=datetime(2024, 5, 18, 16, tzinfo=UTC))
    assert warehouse.ids("stock_day") == {_day(19)}
    assert warehouse.ids("order") == set()


def test_dated_entities_come_with_the_days_on_which_they_may_lie(warehouse: Warehouse) -> None:
    """A local day may be the one before or after that of UTC; a date is that date."""
    built = warehouse.built()
    warehouse.land(5, "events", [("e30", _at(9, 23))])
    warehouse.land(6, "stock", [(_day(9), 4)])
    warehouse.changed(built)
    assert warehouse.rows("event") == {("shop:e30", _day(day), False) for day in (8, 9, 10)}
    assert warehouse.rows("stock_day") == {(_day(9), _day(9), False)}


def test_dates_are_built_again_with_the_days_beside_them(warehouse: Warehouse) -> None:
    """Whole local days of any clock are in, and nothing that lies further away than two days."""
    warehouse.connection.execute("insert into unified.fct_orders (order_id, placed_date) values ('x:1', '2024-05-06')")
    found = warehouse.changed(warehouse.built(), again=(_day(6), _day(7)))
    for name, prefix in (("order", "shop:o"), ("event", "shop:e")):
        ids = warehouse.ids(name)
        assert {f"{prefix}{n}" for n in range(5, 9)} <= ids, name
        assert ids <= {*(f"{prefix}{n}" for n in range(4, 10)), "x:1"}, name
    assert "x:1" in warehouse.ids("order")
    assert {_day(n) for n in range(5, 9)} <= warehouse.ids("stock_day") <= {_day(n) for n in range(4, 10)}
    assert not any(changed.is_all for changed in found.changed.values())
    assert warehouse.connection.execute("from changes.dates_again").fetchall() == [(_day(6), _day(7))]
    warehouse.changed(warehouse.built())
    assert warehouse.connection.execute("from changes.dates_again").fetchall() == [(None, None)]


@pytest.mark.parametrize(("count", "is_all"), [(4, False), (16, True)])
def test_where_more_than_half_changed_everything_is_built(warehouse: Warehouse, count: int, is_all: bool) -> None:
    built = warehouse.built()
    warehouse.land(5, "orders", [(f"o{n}", _at(n)) for n in range(1, count + 1)])
    found = warehouse.changed(built)
    assert len(warehouse.ids("order")) == count
    assert {name: changed.is_all for name, changed in found.changed.items()} == {
        "order": is_all,
        "event": False,
        "stock_day": False,
    }


def test_persons_meet_the_entities_that_name_them(warehouse: Warehouse) -> None:
    """An order that landed as well is no order that only moved."""
    built = warehouse.built()
    warehouse.land(5, "orders", [("o4", _at(4))])
    warehouse.connection.execute("insert into changes.changed_persons values ('shop', 'b4'), ('shop', 'b5')")
    warehouse.connection.execute("insert into changes.changed_persons values ('crm', 'b6'), ('shop', 'nobody')")
    warehouse.changed(built)
    assert warehouse.rows("order") == {("shop:o4", None, False), ("shop:o5", _day(5), True)}


@pytest.fixture
def seen(warehouse: Warehouse) -> Warehouse:
    """The warehouse with a sum of who did something on which day of UTC: d1 to d20, one a day."""
    warehouse.connection.execute("create schema intermediate")
    days = "select 'd' || n as device, date '2024-04-30' + n::integer as seen_date from range(1, 21) as numbers(n)"
    warehouse.connection.execute(f"create table intermediate.int_seen as {days}")
    return warehouse


def test_persons_are_looked_for_on_the_days_on_which_they_did_something(seen: Warehouse) -> None:
    """A local day may be the one before or after that of UTC; on other days nobody looks, so what is there stays."""
    connection = seen.connection
    connection.execute("insert into changes.changed_persons values ('shop', 'd5')")
    for day in (4, 6, 9):
        row = f"('shop:x{day}', date '2024-05-{day:02}', 'shop', 'd5')"
        connection.execute(f"insert into unified.fct_events values {row}")
    found = Entities(connection, seen.merchant, seen.contracts, seen._known(99), _context(AS_OF, 99), seen.built())
    found.find(FACTS, None, {"event": SEEN})
    assert seen.ids("event") == {"shop:e5", "shop:x4", "shop:x6"}
    found.find(FACTS, None)
    assert seen.ids("event") == {"shop:e5", "shop:x4", "shop:x6", "shop:x9"}


def test_days_are_summed_up_again_where_rows_came_or_went(seen: Warehouse) -> None:
    """Days of UTC, whatever the clock of the company; raw views show them whole."""
    seen.land(5, "events", [("e30", _at(7, 1))])
    built = seen.built()
    seen.land(6, "events", [("e31", _at(9, 23)), ("e32", _at(9, 0))])
    seen.land(7, "orders", [("o2", _at(2))])
    found = Entities(seen.connection, seen.merchant, seen.contracts, seen._known(99), _context(AS_OF, 99), built)
    assert found.find_days(SEEN)
    assert seen.rows("event_day") == {(_day(9), _day(9), False)}
    seen.raw_views().narrow_to_days(SEEN)
    assert seen.shown("raw_shop.events", "event_id") == ["e31", "e32", "e9"]

    gone = Entities(seen.connection, seen.merchant, seen.contracts, seen._known(4), _context(AS_OF, 4), built)
    assert gone.find_days(SEEN)
    assert seen.rows("event_day") == {(_day(7), _day(7), False)}


def test_days_that_are_asked_for_are_summed_up_again(seen: Warehouse) -> None:
    """A local day may begin before that of UTC, or end after it, so that days beside it are summed up as well."""
    found = Entities(seen.connection, seen.merchant, seen.contracts, seen._known(99), _context(AS_OF, 99), seen.built())
    assert found.find_days(SEEN, (_day(5), _day(5)))
    assert seen.rows("event_day") == {(_day(day), _day(day), False) for day in (3, 4, 5, 6)}


@pytest.mark.parametrize("told", [{"contract_hash": "c2"}, {"rows_erased": 1}])
def test_all_days_are_summed_up_again_where_nobody_knows_which_changed(seen: Warehouse, told: dict[str, Any]) -> None:
    built = seen.built()
    seen.tell(3, **told)
    found = Entities(seen.connection, seen.merchant, seen.contracts, seen._known(99), _context(AS_OF, 99), built)
    assert not found.find_days(SEEN)


def test_all_days_are_summed_up_again_where_more_than_half_changed(seen: Warehouse) -> None:
    built = seen.built()
    seen.land(5, "events", [(f"f{n}", _at(n)) for n in range(1, 16)])
    found = Entities(seen.connection, seen.merchant, seen.contracts, seen._known(99), _context(AS_OF, 99), built)
    assert not found.find_days(SEEN)


@pytest.mark.parametrize(
    ("kind", "key", "letter", "orders"),
    [
        ("products", "sku_id", "k", replace(FACTS[0], persons=(), products="placed_at")),
        ("levels", "user_id", "u", replace(FACTS[0], persons=(), levels="placed_at")),
    ],
    ids=["products", "levels"],
)
def test_products_and_levels_meet_rows_since_they_differ(
    warehouse: Warehouse, kind: str, key: str, letter: str, orders: Rebuilt
) -> None:
    connection = warehouse.connection
    connection.execute(f"create table changes.changed_{kind} ({key} varchar, changed_from timestamp)")
    rows = [(f"{letter}{n}", _at(10)) for n in (9, 10, 11)]
    connection.executemany(f"insert into changes.changed_{kind} values (?, ?)", rows)
    warehouse.changed(warehouse.built(), models=[orders])
    assert warehouse.rows("order") == {("shop:o10", _day(10), True), ("shop:o11", _day(11), True)}


def test_raw_views_show_the_rows_of_changed_entities_and_then_all_again(warehouse: Warehouse) -> None:
    """An event that only moved to another person is made of the fact's own row, not of raw ones; an order is not."""
    built = warehouse.built()
    warehouse.land(5, "orders", [("o2", _at(2, 11))])
    warehouse.land(6, "events", [("e3", _at(3, 11)), ("e40", _at(5))])
    warehouse.connection.execute("insert into changes.changed_persons values ('shop', 'b5'), ('shop', 'd5')")
    warehouse.changed(built)
    warehouse.raw_views().narrow()
    assert ("shop:e5", _day(5), True) in warehouse.rows("event")
    assert warehouse.shown("raw_shop.orders", "order_id") == ["o2", "o2", "o5"]
    assert warehouse.shown("raw_shop.events", "event_id") == ["e3", "e3", "e40"]
    assert warehouse.shown("raw_erp.stock", "units") == []
    warehouse.raw_views().widen()
    assert len(warehouse.shown("raw_shop.orders", "order_id")) == 21
    assert len(warehouse.shown("raw_shop.events", "event_id")) == 22
    assert warehouse.shown("raw_erp.stock", "units") == list(range(1, 21))
    kept = "select table_name from duckdb_tables() where schema_name = 'changes' and table_name like 'raw%'"
    assert not warehouse.connection.execute(kept).fetchall(), "found rows that nobody reads any more"


def test_the_last_day_of_the_calendar_is_a_day(warehouse: Warehouse) -> None:
    """Silos write 9999-12-31 where they know no day; the rows lie after `as_of`."""
    built = warehouse.built()
    warehouse.land(5, "stock", [(_day(7), 5), (date.max, 0)])
    warehouse.land(6, "events", [("e3", _at(3, 11)), ("never", datetime.max - timedelta(hours=1))])
    warehouse.changed(built)
    warehouse.raw_views().narrow()
    assert warehouse.shown("raw_erp.stock", "units") == [5, 7]
    assert warehouse.shown("raw_shop.events", "event_id") == ["e3", "e3"]
    assert {day for name, day, _ in warehouse.rows("event") if name == "shop:never"} == {date(9999, 12, 30), date.max}


def test_a_dated_row_has_a_date(contracts: list[Contract]) -> None:
    _, events, _ = contracts
    for wrong, message in (
        ({"event_time": None}, "is_dated needs event_time"),
        (
            {"columns": [{**dict(column), "nullable": column.name != "event_id"} for column in events.columns]},
            "occurred_at.*nullable: false",
        ),
    ):
        with pytest.raises(ValidationError, match=message):
            Contract.model_validate({**dict(events), **wrong})
