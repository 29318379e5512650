"""Content: what makes a hash differ, and which files a release writes again."""

from __future__ import annotations

import os
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

from zhongtai.errors import ZhongtaiError
from zhongtai.release.manifest import TableSpec

if TYPE_CHECKING:
    from tests.unit.release.conftest import House

THREE = "select * from (values (1, 'a'), (2, 'b'), (3, null)) as t(id, note)"


# Each differs from the other, though some hashes would not say so.
PAIRS = [
    ("select 1 as id", "select 1 as id union all select 1 union all select 1"),
    (
        "select 1 as id union all select 2 union all select 2",
        "select 1 as id union all select 3 union all select 3",
    ),
    ("select 1 as id", "select 1 as id union all select 2 union all select 2"),
    ("select null::varchar as note", "select '' as note"),
    ("select null::varchar as a, '' as b", "select '' as a, null::varchar as b"),
    ("select 'a' as a, 'b' as b", "select 'b' as a, 'a' as b"),
    ("select 'ab' as a, 'c' as b", "select 'a' as a, 'bc' as b"),
    ("select null::integer[] as tags", "select []::integer[] as tags"),
    ("select [[1], [2]] as tags", "select [[1, 2]] as tags"),
    ("select ['a, b'] as tags", "select ['a', 'b'] as tags"),
    ("select [null::varchar] as tags", "select ['NULL'] as tags"),
    ("select {'x': null::integer[]} as s", "select {'x': []::integer[]} as s"),
    ("select 0::bigint as id where false", "select 0::bigint as id"),
]


def _hash(house: House, query: str) -> str:
    house.build(unified__t=query)
    return house.publish({}).tables["unified.t"].content_hash


def test_a_hash_does_not_depend_on_the_order_of_rows_or_the_release(house: House) -> None:
    first = _hash(house, THREE)
    assert _hash(house, f"{THREE} order by id desc") == first
    by_month = f"select *, date '2024-01-01' + interval (id) month as at from ({THREE})"
    house.build(unified__t=by_month)
    whole = house.publish({}).tables["unified.t"]
    parts = house.publish({"unified.t": TableSpec(partition_column="at")}).tables["unified.t"]
    assert len(parts.files) == 3 and parts.content_hash == whole.content_hash


def test_a_hash_sees_every_difference(house: House) -> None:
    tables = {
        f"unified__{side}{number}": query
        for number, pair in enumerate(PAIRS)
        for side, query in zip("ab", pair, strict=True)
    }
    house.build(**tables)
    found = {name.removeprefix("unified."): table.content_hash for name, table in house.publish({}).tables.items()}
    assert [pair for number, pair in enumerate(PAIRS) if found[f"a{number}"] == found[f"b{number}"]] == []


def test_a_list_that_became_empty_is_written_again(house: House) -> None:
    house.build(unified__t="select 1 as id, null::integer[] as tags")
    house.publish({})
    house.build(unified__t="select 1 as id, []::integer[] as tags")
    house.publish({})
    assert house.read("select tags from unified.t") == [([],)]


def test_only_the_changed_month_is_written_again(published: tuple[House, Any]) -> None:
    house, first = published
    house.change("update unified.fct_orders set note = 'x' where order_id = 3")
    second = house.publish()

    assert house.files(second, "unified.fct_orders") == {
        "2024-01.parquet": 2,
        "2024-02.parquet": 1,
        "2024-03.parquet": 1,
    }
    same = {
        name: house.file(first, "unified.fct_orders", name).samefile(house.file(second, "unified.fct_orders", name))
        for name in house.files(second, "unified.fct_orders")
    }
    assert same == {"2024-01.parquet": True, "2024-02.parquet": False, "2024-03.parquet": True}
    assert house.file(first, "marts.mart_days", "data.parquet").stat().st_ino == (
        house.file(second, "marts.mart_days", "data.parquet").stat().st_ino
    )
    note = "select note from unified.fct_orders where order_id = 3"
    assert (house.read(note, first), house.read(note, second)) == ([("",)], [("x",)])
    before, after = (release.tables["unified.fct_orders"] for release in (first, second))
    assert before.content_hash != after.content_hash
    assert [file.content_hash for file in before.files][::2] == [file.content_hash for file in after.files][::2]


def test_months_come_and_go(published: tuple[House, Any]) -> None:
    house, _ = published
    house.change("delete from unified.fct_orders where order_id = 3")
    house.change("insert into unified.fct_orders values (9, date '2025-12-31', 1, 'n')")
    second = house.publish()
    assert list(house.files(second, "unified.fct_orders")) == ["2024-01.parquet", "2024-03.parquet", "2025-12.parquet"]
    assert house.read("select order_id from unified.fct_orders order by 1") == [(1,), (2,), (4,), (9,)]


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("alter table unified.fct_orders add column extra integer", (1, date(2024, 1, 5), Decimal("10.50"), "a", None)),
        ("alter table unified.fct_orders alter order_id type bigint", (1, date(2024, 1, 5), Decimal("10.50"), "a")),
        ("alter table unified.fct_orders rename note to remark", (1, date(2024, 1, 5), Decimal("10.50"), "a")),
    ],
)
def test_a_new_shape_writes_everything_again(published: tuple[House, Any], change: str, seen: tuple[Any, ...]) -> None:
    house, first = published
    house.change(change)
    second = house.publish()
    for name in house.files(second, "unified.fct_orders"):
        inodes = {house.file(each, "unified.fct_orders", name).stat().st_ino for each in (first, second)}
        assert len(inodes) == 2, name
    assert house.read("select * from unified.fct_orders order by order_id limit 1") == [seen]
    columns = {name: kind for name, kind, *_ in house.read("describe unified.fct_orders")}
    assert columns == {column.name: column.type for column in second.tables["unified.fct_orders"].columns}


def test_another_engine_writes_everything_again(published: tuple[House, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    house, first = published
    monkeypatch.setattr(duckdb, "__version__", "99.0")
    second = house.publish()
    assert second.engine.version == "99.0"
    inodes = {house.file(each, "marts.mart_days", "data.parquet").stat().st_ino for each in (first, second)}
    assert len(inodes) == 2


def test_a_file_that_cannot_be_linked_is_written(published: tuple[House, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    house, first = published
    house.file(first, "marts.mart_days", "data.parquet").unlink()
    second = house.publish()
    assert house.files(second, "marts.mart_days") == {"data.parquet": 4}

    def no_links(*_: object) -> None:
        raise OSError("Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    third = house.publish()
    assert sum(house.files(third, "unified.fct_orders").values()) == 4


def test_an_empty_table(house: House) -> None:
    house.build(unified__fct_orders="select date '2024-01-01' as placed_date, 1 as order_id where false")
    house.publish(), (release := house.publish())
    assert release.tables["unified.fct_orders"].rows == 0
    assert house.files(release, "unified.fct_orders") == {"empty.parquet": 0}
    assert house.read("select count(*), max(placed_date) from unified.fct_orders") == [(0, None)]


def test_dates_without_a_month_and_at_the_ends_of_time(house: House) -> None:
    values = ["null", "'infinity'", "'-infinity'", "'9999-12-31'", "'10000-01-01'", "'0001-01-01'", "'0044-03-15 (BC)'"]
    query = " union all ".join(f"select {n} as id, date {v}" if n else "" for n, v in enumerate(values, 1))
    query = query.replace("date null", "null::date as placed_date")
    house.build(unified__fct_orders=query)
    house.publish(), (release := house.publish())
    files = house.files(release, "unified.fct_orders")
    assert files["unknown.parquet"] == 3 and files["9999-12.parquet"] == 1 and sum(files.values()) == 7
    assert house.read("select id from unified.fct_orders order by 1") == [(n,) for n in range(1, 8)]


def test_a_timestamp_partitions_to_the_microsecond(house: House) -> None:
    house.build(
        unified__fct_orders="select 1 as id, timestamp '2024-01-31 23:59:59.999999' as placed_date "
        "union all select 2, timestamp '2024-02-01 00:00:00'"
    )
    release = house.publish()
    assert house.files(release, "unified.fct_orders") == {"2024-01.parquet": 1, "2024-02.parquet": 1}


def test_types_come_back_as_they_were(house: House) -> None:
    house.build(
        unified__t="""
            select 12345678901234.56::decimal(18,2) as money, 0.1::decimal(38,10) as rate,
                timestamp '2024-02-29 23:59:59.123456' as at, timestamptz '2024-02-29 23:59:59+00' as at_utc,
                date '2024-02-29' as day, ['a', null, '']::varchar[] as tags, {'x': 1, 'y': [2.5]} as pair,
                map {'k': 1} as m, true as flag, '\\xAA'::blob as raw, 1.5::double as real, 9::utinyint as small
        """
    )
    release = house.publish({})
    table = pq.read_table(house.file(release, "unified.t", "data.parquet")).to_pylist()
    assert table[0]["money"] == Decimal("12345678901234.56") and table[0]["rate"] == Decimal("0.1")
    assert table[0]["at"] == datetime(2024, 2, 29, 23, 59, 59, 123456) and table[0]["day"] == date(2024, 2, 29)
    assert table[0]["tags"] == ["a", None, ""] and table[0]["pair"] == {"x": 1, "y": [Decimal("2.5")]}
    kinds = {name: kind for name, kind, *_ in house.read("describe unified.t")}
    assert kinds == {column.name: column.type for column in release.tables["unified.t"].columns}
    assert kinds["money"] == "DECIMAL(18,2)" and kinds["tags"] == "VARCHAR[]"


def test_a_type_that_parquet_has_not_is_named(house: House) -> None:
    house.build(unified__t="select 1::hugeint as total")
    with pytest.raises(ZhongtaiError, match=r"unified\.t: .*column total as DOUBLE, and it is HUGEINT"):
        house.publish({})
    assert house.current() is None


def test_names_with_quotes_and_chinese(house: House) -> None:
    house.build(
        **{'unified__订单 "a"\'s.x': 'select 1 as "金额 ""元""\'", 2 as "filename", date \'2024-01-01\' as "日 期"'}
    )
    name = 'unified.订单 "a"\'s.x'
    column = '金额 "元"\''
    spec = TableSpec(description="It's “总”", columns={column: "Amount's 说明"}, partition_column="日 期")
    house.publish({name: spec}), (release := house.publish({name: spec}))
    assert house.read('select * from unified."订单 ""a""\'s.x"') == [(1, 2, date(2024, 1, 1))]
    assert house.read("select comment from duckdb_views() where schema_name = 'unified'") == [("It's “总”",)]
    comments = "select column_name, comment from duckdb_columns() where schema_name = 'unified' and comment is not null"
    assert house.read(comments) == [(column, "Amount's 说明")]
    assert release.tables[name].columns[0].description == "Amount's 说明"
    assert house.files(release, name) == {"2024-01.parquet": 1}
