"""Extraction from a real PostgreSQL that is written to meanwhile: every row arrives, and once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from adbc_driver_postgresql import dbapi

from tests.faults.server import postgres
from tests.unit.ingest.conftest import Shop
from zhongtai.errors import ZhongtaiError
from zhongtai.extract import extract, positions
from zhongtai.extract import postgres as extraction
from zhongtai.extract.config import PostgresSource
from zhongtai.merchant import SiloLocation

pytestmark = pytest.mark.faults

ITEMS: dict[str, Any] = {
    "file": "items_*.parquet",
    "load_mode": "upsert",
    "key": ["item_id"],
    "version": "version",
    "columns": {
        "item_id": {"data_type": "bigint"},
        "version": {"data_type": "bigint", "nullable": False},
        "name": {"data_type": "string"},
        "price": {"data_type": "decimal(18,2)"},
        "changed_at": {"data_type": "timestamp"},
    },
}
SOURCE = PostgresSource.model_validate({"dsn_env": "DSN", "tables": {"items": {"cursor": "changed_at"}}})
CREATE = (
    "create table items (item_id bigint primary key, version bigint, name text, price numeric(20, 4), "
    "changed_at timestamptz default now())"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as dsn:
        yield dsn


@pytest.fixture
def dsn(server: str) -> str:
    """A server without tables."""
    run(server, "drop schema public cascade", "create schema public")
    return server


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.declare(items=ITEMS)
    return shop


def run(dsn: str, *statements: str) -> None:
    """One transaction."""
    with dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with dbapi.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def load(shop: Shop, dsn: str, source: PostgresSource = SOURCE) -> int:
    """Extracts, lands and loads; returns the rows that were extracted."""
    extracted = extraction.extract(shop.merchant, "shop", source, dsn, shop.contracts)
    shop.run()
    return extracted


def holding(shop: Shop) -> dict[int, tuple[int, str]]:
    """The version of each item that holds in raw."""
    found: dict[int, tuple[int, str]] = {}
    for item, version, name in shop.raw("items", "item_id, version, name"):
        if item not in found or version > found[item][0]:
            found[item] = (version, name)
    return found


def test_values_of_every_type_arrive_as_they_are(shop: Shop, dsn: str) -> None:
    columns = {
        "id": "bigint", "amount": "decimal(18,2)", "exact": "string", "day": "date", "moment": "timestamp",
        "local_at": "timestamp", "flag": "boolean", "ratio": "double", "document": "string", "tags": "string",
        "kind": "string", "number": "string",
    }  # fmt: skip
    shop.declare(
        things={
            "file": "things_*.parquet",
            "load_mode": "append",
            "key": ["id"],
            "columns": {name: {"data_type": kind} for name, kind in columns.items()},
        }
    )
    run(
        dsn,
        "create type kinds as enum ('a', '茶')",
        "create table things (id int, amount numeric, exact numeric, day date, moment timestamptz, local_at timestamp, "
        "flag boolean, ratio float8, document jsonb, tags text[], kind kinds, number uuid)",
        "insert into things values (1, 19.99, 12345678901234567890.123456789, '2024-02-29', '2024-05-01 08:00:00+08', "
        "'2024-05-01 08:00:00', true, 0.1, '{\"b\": 1}', '{x,\"y z\"}', '茶', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), "
        "(2, null, null, null, null, null, null, null, null, null, null, null)",
    )
    load(shop, dsn, PostgresSource.model_validate({"dsn_env": "DSN", "tables": {"things": None}}))
    assert shop.raw("things", ", ".join(columns)) == [
        (
            1, Decimal("19.99"), "12345678901234567890.123456789", date(2024, 2, 29), datetime(2024, 5, 1),
            datetime(2024, 5, 1, 8), True, 0.1, '{"b": 1}', '["x","y z"]', "茶", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        ),
        (2, *[None] * 11),
    ]  # fmt: skip


def test_only_what_changed_is_read_again(shop: Shop, dsn: str) -> None:
    run(dsn, CREATE, "insert into items select i, 1, 'item ' || i, i from generate_series(1, 500) as i")
    assert load(shop, dsn) == 500
    assert load(shop, dsn) == 0 and not shop.land()
    run(dsn, "update items set version = 2, name = 'new', changed_at = now() where item_id = 7")
    assert load(shop, dsn) == 1
    assert holding(shop)[7] == (2, "new") and len(holding(shop)) == 500


def test_a_row_that_commits_late_with_an_early_cursor_is_not_lost(shop: Shop, dsn: str) -> None:
    run(dsn, CREATE)
    with dbapi.connect(dsn) as late, late.cursor() as cursor:
        cursor.execute("insert into items values (1, 1, 'late', 1)")  # its changed_at is now, it commits later
        time.sleep(0.05)
        run(dsn, "insert into items values (2, 1, 'in time', 2)")
        assert load(shop, dsn) == 1
        late.commit()
    assert load(shop, dsn) == 1
    assert holding(shop) == {1: (1, "late"), 2: (1, "in time")}


def test_every_row_arrives_once_while_many_write(shop: Shop, dsn: str) -> None:
    run(dsn, CREATE)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    stop = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(seed + number)
        with dbapi.connect(dsn) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                for _ in range(chance.randrange(1, 8)):
                    item = chance.randrange(200) * 4 + number  # no two writers share an item
                    cursor.execute(
                        f"insert into items values ({item}, 1, 'first', {item}) on conflict (item_id) do update "
                        "set version = items.version + 1, name = 'again', changed_at = now()"
                    )
                    time.sleep(chance.random() / 100)
                if chance.random() < 0.1:
                    connection.rollback()
                else:
                    connection.commit()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for _ in range(12):
        load(shop, dsn)
    stop.set()
    for writer in writers:
        writer.join()
    load(shop, dsn)

    truth = {item: (version, name) for item, version, name in rows(dsn, "select item_id, version, name from items")}
    assert len(truth) > 100 and holding(shop) == truth
    stored = shop.raw("items", "item_id, version")
    assert len(stored) == len(set(stored)), "no version is stored twice"
    assert all(read == sum(others) for read, *others in shop.counts())


def test_tables_are_of_one_moment(shop: Shop, dsn: str) -> None:
    other = {**ITEMS, "file": "others_*.parquet"}
    shop.declare(items=ITEMS, others=other)
    first = "values (0, 1, 'x', 1)"
    run(dsn, CREATE, CREATE.replace("items", "others"), f"insert into items {first}", f"insert into others {first}")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            values = f"values ({number}, 1, 'x', 1)"
            run(dsn, f"insert into items {values}", f"insert into others {values}")

    writer = threading.Thread(target=write)
    writer.start()
    source = PostgresSource.model_validate({"dsn_env": "DSN", "tables": {"items": None, "others": None}})
    try:
        for _ in range(5):
            load(shop, dsn, source)
            items, others = (set(shop.raw(table, "item_id")) for table in ("items", "others"))
            assert items == others
    finally:
        stop.set()
        writer.join()


def test_killed_before_the_position_is_saved_loses_and_doubles_nothing(
    shop: Shop, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(dsn, CREATE, "insert into items select i, 1, 'item', i from generate_series(1, 50) as i")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(positions, "save", killed)
        with pytest.raises(KeyboardInterrupt):
            load(shop, dsn)
    assert load(shop, dsn) == 50
    assert len(shop.raw("items")) == 50
    assert len(list(shop.incoming.glob("items_*.parquet"))) == 2


def test_a_server_that_was_restored_is_read_anew(shop: Shop, dsn: str) -> None:
    run(dsn, CREATE, "insert into items values (1, 1, 'a', 1)")
    load(shop, dsn)
    position = positions.read(shop.merchant, "shop", "items")
    later = position.model_copy(update={"snapshot": f"{1 << 40}:{1 << 40}:", "cursor": "2999-01-01"})
    positions.save(shop.merchant, "shop", later)
    assert load(shop, dsn) == 1


VIEW = "create view seen as select * from items"
MATERIALIZED = "create materialized view seen as select * from items"
PARTITIONED = (
    "create table seen (like items) partition by range (item_id)",
    "create table low partition of seen for values from (0) to (100)",
)
FOREIGN = ("create extension file_fdw", "create server files foreign data wrapper file_fdw")
FOREIGN_COLUMNS = (
    "(item_id bigint not null, version bigint, name text, price numeric(20, 4), changed_at timestamptz) "
    "server files options (program 'echo 1,1,a,1,2024-05-01', format 'csv')"
)


@pytest.mark.parametrize(
    ("create", "kind"),
    [
        ((VIEW,), "is a view"),
        ((*FOREIGN, f"create foreign table seen {FOREIGN_COLUMNS}"), "is a foreign table"),
        (
            (
                *PARTITIONED,
                *FOREIGN,
                f"create foreign table far {FOREIGN_COLUMNS}",
                "alter table seen attach partition far for values from (100) to (200)",
                "insert into seen select * from items",
            ),
            "has a part that is a foreign table",
        ),
    ],
)
def test_rows_that_tell_no_transaction_are_refused_a_cursor_and_read_whole_without(
    shop: Shop, dsn: str, create: tuple[str, ...], kind: str
) -> None:
    run(dsn, CREATE, "insert into items values (1, 1, 'a', 1)", *create)
    table = {"relation": "seen"}
    with_cursor = PostgresSource.model_validate(
        {"dsn_env": "DSN", "tables": {"items": {**table, "cursor": "changed_at"}}}
    )
    for _ in range(2):
        with pytest.raises(ZhongtaiError, match=rf'shop\.items: "public"\."seen" {kind}, .* Leave \'cursor\' away'):
            load(shop, dsn, with_cursor)
    assert not list(shop.incoming.iterdir())
    whole = PostgresSource.model_validate({"dsn_env": "DSN", "tables": {"items": table}})
    rows_there = 2 if "far" in str(create) else 1
    assert [load(shop, dsn, whole) for _ in range(2)] == [rows_there, rows_there]
    assert holding(shop) == {1: (1, "a")}


def test_tables_are_of_one_moment_although_one_before_them_fails(
    shop: Shop, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.declare(items=ITEMS, others={**ITEMS, "file": "others_*.parquet"})
    run(dsn, CREATE, "insert into items values (1, 1, 'a', 1)")
    run(dsn, "create view others as select 1 / (item_id - 1) as item_id, version from items")
    rows_of_table = extraction._table

    def written_to(*args: Any) -> int:
        run(dsn, "insert into items select max(item_id) + 1, 1, 'meanwhile', 1 from items")
        return rows_of_table(*args)

    monkeypatch.setattr(extraction, "_table", written_to)
    source = PostgresSource.model_validate({"dsn_env": "DSN", "tables": {"others": None, "items": None}})
    with pytest.raises(ZhongtaiError, match=r"shop\.others: .*division by zero$"):
        load(shop, dsn, source)
    shop.run()
    assert holding(shop) == {1: (1, "a")}


@pytest.mark.parametrize("create", [(MATERIALIZED,), PARTITIONED], ids=["materialized view", "partitioned table"])
def test_relations_whose_rows_tell_their_transaction_lose_no_late_row(
    shop: Shop, dsn: str, create: tuple[str, ...]
) -> None:
    run(dsn, CREATE, *create)
    source = PostgresSource.model_validate(
        {"dsn_env": "DSN", "tables": {"items": {"relation": "seen", "cursor": "changed_at"}}}
    )
    target = "items" if create == (MATERIALIZED,) else "seen"
    refresh = ["refresh materialized view seen"] if target == "items" else []
    with dbapi.connect(dsn) as late, late.cursor() as cursor:
        cursor.execute(f"insert into {target} values (1, 1, 'late', 1, now())")
        time.sleep(0.05)
        run(dsn, f"insert into {target} values (2, 1, 'in time', 2, now())", *refresh)
        assert load(shop, dsn, source) == 1
        late.commit()
    run(dsn, "select 1", *refresh)
    assert load(shop, dsn, source) >= 1
    assert holding(shop) == {1: (1, "late"), 2: (1, "in time")}
    assert load(shop, dsn, source) == 0


def test_a_table_that_fails_keeps_no_other_from_being_read(shop: Shop, dsn: str) -> None:
    """Because of its kind or its absence, at its first row, or within its rows."""
    tables = ("seen", "gone", "broken", "torn", "items")
    shop.declare(**{name: {**ITEMS, "file": f"{name}_*.parquet"} for name in tables})
    first = "select 1 as item_id, 1 as version, repeat('x', 1000) as name, 1 as price, 1 /"
    run(
        dsn,
        CREATE,
        "insert into items select i, 1, 'item', i from generate_series(1, 5) as i",
        VIEW,
        f"create view broken as {first} (item_id - 1) as changed_at from items",
        f"create view torn as {first} (i - 40000) as changed_at from generate_series(1, 40000) as i",
    )
    cursors = {"seen": {"cursor": "changed_at"}, "items": {"cursor": "changed_at"}}
    source = PostgresSource.model_validate({"dsn_env": "DSN", "tables": {name: cursors.get(name) for name in tables}})
    for _ in range(2):
        with pytest.raises(ZhongtaiError) as found:
            load(shop, dsn, source)
        shop.run()
        seen, gone, broken, torn = str(found.value).split("; shop.")
        assert seen.startswith('shop.seen: "public"."seen" is a view')
        assert gone.startswith('gone: the database has no table "public"."gone"')
        assert [text.split(":")[0] for text in (broken, torn)] == ["broken", "torn"]
        assert "division by zero" in broken and "division by zero" in torn
        assert len(shop.raw("items")) == 5
    assert [file.name for file in shop.incoming.iterdir()] == ["items_00000001.parquet"]


def test_a_database_that_fails_keeps_no_interface_of_its_silo_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSN", "postgresql://tester:hunter2@127.0.0.1:1/postgres")
    pages = {**ITEMS, "file": "pages_*.json", "format": "json"}
    shop.declare(items=ITEMS, pages=pages)
    asked = {"base_url": "http://127.0.0.1:1", "attempts": 1, "endpoints": {"pages": {"path": "/pages"}}}
    shop.merchant.silos["shop"] = SiloLocation.model_validate(
        {"path": str(shop.incoming), "postgres": {"dsn_env": "DSN", "tables": {"items": None}}, "rest": asked}
    )
    failures = extract.extract(shop.merchant, shop.contracts)["shop"]
    assert "PostgreSQL at $DSN cannot be read" in failures and "shop.pages: the first page" in failures
    assert "hunter2" not in failures


def test_what_is_wrong_is_said(shop: Shop, dsn: str) -> None:
    with pytest.raises(ZhongtaiError, match=r'shop\.items: the database has no table "public"\."items"'):
        load(shop, dsn)
    run(dsn, CREATE)
    wrong = PostgresSource.model_validate({"dsn_env": "DSN", "tables": {"items": {"cursor": "moved_at"}}})
    with pytest.raises(ZhongtaiError, match="there is no column moved_at"):
        load(shop, dsn, wrong)
    secret = "postgresql://tester:hunter2@127.0.0.1:1/postgres"
    with pytest.raises(ZhongtaiError, match=r"shop: PostgreSQL at \$DSN cannot be read") as found:
        load(shop, secret)
    assert "hunter2" not in str(found.value)
