"""Questions: one, that reads, of the release and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.release import query
from zhongtai.release.manifest import Manifest

if TYPE_CHECKING:
    from tests.unit.release.conftest import House


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, make_house: Callable[[Path], House]) -> tuple[House, Manifest]:
    """A release that no test changes."""
    house = make_house(tmp_path_factory.mktemp("shelf"))
    house.build()
    return house, house.publish()


@pytest.mark.parametrize(
    "sql",
    [
        "select order_id from unified.fct_orders order by 1",
        "from fct_orders select order_id order by 1;",
        "-- a comment\nwith x as (select order_id from fct_orders) select * from x order by 1",
        "select order_id from zhongtai.unified.fct_orders order by 1",
    ],
)
def test_reading_is_answered(shelf: tuple[House, Manifest], sql: str) -> None:
    assert query(shelf[0].merchant, sql).to_pydict() == {"order_id": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    "sql",
    [
        "describe fct_orders",
        "summarize fct_orders",
        "show tables",
        "explain select 1",
        "EXPLAIN ANALYZE select * from fct_orders",
        "explain (analyze, format json) select 1",
        "pivot fct_orders on note in ('a', 'b') using count(*)",
    ],
)
def test_looking_around_is_answered(shelf: tuple[House, Manifest], sql: str) -> None:
    assert query(shelf[0].merchant, sql).num_rows > 0


def test_marts_come_before_unified_and_one_may_be_missing(house: House) -> None:
    house.build(unified__t="select 'unified' as of_", marts__t="select 'marts' as of_")
    house.publish({})
    assert query(house.merchant, "from t").to_pydict() == {"of_": ["marts"]}
    house.change("drop table marts.t")
    release = house.publish({})
    assert query(house.merchant, "from t").to_pydict() == {"of_": ["unified"]}
    assert release.tables.keys() == {"unified.t"}


def test_an_earlier_release_is_asked_by_its_id(published: tuple[House, Any]) -> None:
    house, first = published
    house.change("delete from unified.fct_orders")
    house.publish()
    counts = [
        query(house.merchant, "select count(*) as n from fct_orders", each).to_pylist()[0]["n"]
        for each in ("current", first.release_id)
    ]
    assert counts == [0, 4]


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "select 1; drop view unified.fct_orders",
        "drop view unified.fct_orders",
        "create table marts.x as select 1",
        "create temp table x as select 1",
        "insert into unified.fct_orders select * from unified.fct_orders",
        "update unified.fct_orders set note = ''",
        "delete from unified.fct_orders",
        "copy (select 1) to '{release}/out.csv'",
        "copy unified.fct_orders to '{outside}/out.csv'",
        "explain analyze copy (select 1) to '{release}/out.csv'",
        "explain (analyze) copy (select 1) to '{release}/out.csv'",
        "explain (analyze, format json) copy (select 1) to '{release}/out.csv'",
        "explain analyze create temp table x as select 1",
        "export database '{release}/out.csv'",
        "attach '{outside}/other.duckdb'",
        "attach '{release}/zhongtai.duckdb' as again",
        "detach zhongtai",
        "use memory",
        "set lock_configuration = false",
        "set enable_external_access = true",
        "load httpfs",
        "install httpfs",
        "call pragma_version()",
        "checkpoint",
    ],
)
def test_anything_but_one_reading_query_is_refused(shelf: tuple[House, Manifest], sql: str) -> None:
    house, release = shelf
    folder = house.releases / release.release_id
    before = {file: file.stat().st_mtime_ns for file in house.folder.rglob("*")}
    with pytest.raises(UsageError, match=r"^Give one query that reads, for example: select"):
        query(house.merchant, sql.format(release=folder, outside=house.folder))
    assert {file: file.stat().st_mtime_ns for file in house.folder.rglob("*")} == before


def test_comments_hide_no_writing(shelf: tuple[House, Manifest]) -> None:
    house, release = shelf
    file = house.releases / release.release_id / "out.csv"
    for head in (
        "/* a */ explain /* b */ analyze /* c */",
        "explain--\nanalyze",
        "explain/**/(analyze)",
        "explain\n\tANALYZE",
    ):
        with pytest.raises(ZhongtaiError):
            query(house.merchant, f"{head} copy (select 1) to '{file}'")
        assert not file.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from read_text('{release}/../../../secret.txt')",
        "select * from read_text('{outside}/secret.txt')",
        "select * from read_parquet('https://example.com/x.parquet')",
    ],
)
def test_files_outside_the_release_are_shut(shelf: tuple[House, Manifest], sql: str) -> None:
    house, release = shelf
    (house.folder / "secret.txt").write_text("secret")
    with pytest.raises(ZhongtaiError) as refused:
        query(house.merchant, sql.format(release=house.releases / release.release_id, outside=house.folder))
    assert "\n" not in str(refused.value) and "secret\n" not in str(refused.value)
    assert "Permission Error" in str(refused.value) or "does not exist" in str(refused.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from mart_dayz", "Catalog Error: Table with name mart_dayz does not exist! Did you mean"),
        ("select * from manifest", "Catalog Error: Table with name manifest does not exist!"),  # a Python variable
        ("select nope from fct_orders", 'Binder Error: Referenced column "nope" not found'),
        ("selec 1", "Parser Error: syntax error"),
        ("select 'x'::integer", "Conversion Error: Could not convert string 'x' to INT32"),
    ],
)
def test_a_wrong_query_gets_one_clear_line(shelf: tuple[House, Manifest], sql: str, said: str) -> None:
    with pytest.raises(ZhongtaiError) as refused:
        query(shelf[0].merchant, sql)
    message = str(refused.value)
    assert message.startswith(said) and "\n" not in message and "LINE 1" not in message


def test_moments_are_in_utc_and_types_survive(house: House) -> None:
    house.build(unified__t="select timestamptz '2024-01-01 00:00:00+08' as moment, date '2024-01-01' as day")
    house.publish({})
    row = query(house.merchant, "select moment::varchar as moment, day, [1] as list from t").to_pylist()[0]
    assert row == {"moment": "2023-12-31 16:00:00+00", "day": date(2024, 1, 1), "list": [1]}


def test_nothing_is_left_in_the_working_directory(
    published: tuple[House, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    query(published[0].merchant, "select count(distinct hash(i)) from range(100000) t(i)")
    assert list(here.iterdir()) == []
