"""Publishing: what a release holds, what stops it, and what a crash at any step leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow.parquet as pq
import pytest

from zhongtai.dictionary.facts import TableFacts
from zhongtai.errors import ZhongtaiError
from zhongtai.quality.results import CheckResult
from zhongtai.release import catalogue, content, publish, query, store
from zhongtai.release.manifest import ReleaseSpec, TableSpec

if TYPE_CHECKING:
    from tests.unit.release.conftest import House


class Crash(BaseException):
    """The process dies here."""


def _check(
    name: str, severity: Literal["critical", "warning"], status: Literal["passed", "failed", "errored"]
) -> CheckResult:
    return CheckResult(
        name=name, schema_name="unified", table="fct_orders", kind="expectation", severity=severity, status=status
    )


def test_a_release_holds_what_the_contract_says(house: House) -> None:
    house.build()
    checks = [_check("a", "critical", "passed"), _check("b", "warning", "failed"), _check("c", "warning", "errored")]
    release = house.publish(checks=checks)
    folder = house.releases / release.release_id
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    assert {key: manifest[key] for key in ("merchant", "known_at", "git_sha", "run_id", "policies")} == {
        "merchant": "small",
        "known_at": 7,
        "git_sha": "0123abc",
        "run_id": "00000001-run",
        "policies": {
            "payback_days": {"value": 30, "unit": "days", "since": "2024-03-01", "source": "merchant"},
            "tiers": {"value": [1, 2.5], "unit": "CNY", "since": "1970-01-01", "source": "default"},
        },
    }
    assert release.policies["payback_days"].since == date(2024, 3, 1)
    assert datetime.fromisoformat(manifest["as_of"]) == datetime(2024, 3, 10, tzinfo=UTC)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(manifest["created_at"])).total_seconds() < 60
    assert manifest["engine"] == {"name": "duckdb", "version": duckdb.__version__}
    assert manifest["checks"] == {"passed": 1, "warned": 2, "failed": 0}
    assert manifest["sources"] == {"shop.orders": house.SOURCE}
    assert set(manifest["tables"]) == {"unified.fct_orders", "marts.mart_days"}
    orders = manifest["tables"]["unified.fct_orders"]
    assert orders["rows"] == 4 and len(orders["content_hash"]) == 64
    assert [(column["name"], column["type"]) for column in orders["columns"]] == [
        ("order_id", "INTEGER"),
        ("placed_date", "DATE"),
        ("paid_amount", "DECIMAL(18,2)"),
        ("note", "VARCHAR"),
    ]
    assert release.release_id == house.current() == manifest["release_id"] == folder.name
    assert [check["name"] for check in json.loads((folder / "checks" / "results.json").read_text())] == ["a", "b", "c"]
    assert "Small shop" in (folder / "checks" / "report.html").read_text(encoding="utf-8")


def test_every_row_is_published_and_nothing_private(published: tuple[House, Any]) -> None:
    house, release = published
    rows = [row for file in house.files(release, "unified.fct_orders") for row in _rows(house, release, file)]
    assert sorted((row["order_id"], row["paid_amount"], row["note"]) for row in rows) == [
        (1, Decimal("10.50"), "a"),
        (2, Decimal("20.25"), "b"),
        (3, Decimal("30.00"), ""),
        (4, Decimal("40.75"), None),
    ]
    assert house.read("select sum(paid_amount) from marts.mart_days") == [(Decimal("101.50"),)]
    tables = "select table_schema || '.' || table_name from information_schema.tables order by 1"
    assert house.read(tables) == [("marts.mart_days",), ("unified.fct_orders",)]


def _rows(house: House, release: Any, file: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(house.file(release, "unified.fct_orders", file)).to_pylist()
    return rows


@pytest.mark.parametrize("status", ["failed", "errored"])
def test_a_blocking_check_refuses(published: tuple[House, Any], status: Literal["failed", "errored"]) -> None:
    house, first = published
    folders = house.folders()
    with pytest.raises(ZhongtaiError, match=r"1 blocking checks .* unified\.fct_orders: sums_agree"):
        house.publish(checks=[_check("other", "warning", "failed"), _check("sums_agree", "critical", status)])
    assert house.current() == first.release_id and house.folders() == folders


def test_a_table_that_was_not_built_refuses(published: tuple[House, Any]) -> None:
    house, first = published
    house.change("drop table marts.mart_days")
    with pytest.raises(ZhongtaiError, match=r"lacks marts\.mart_days"):
        house.publish({"marts.mart_days": TableSpec(), **house.BY_MONTH})
    house.change("drop table unified.fct_orders")
    with pytest.raises(ZhongtaiError, match="lacks every table"):
        house.publish({})
    assert house.current() == first.release_id


def _tamper_value(folder: Path) -> None:
    file = folder / "parquet" / "unified" / "fct_orders" / "2024-02.parquet"
    with duckdb.connect() as connection:
        other = f"(select * replace (paid_amount + 1 as paid_amount) from read_parquet(['{file}']))"
        connection.execute(f"copy {other} to '{file}.new' (format parquet)")
    file.with_name(f"{file.name}.new").replace(file)


def _tamper_rows(folder: Path) -> None:
    file = folder / "parquet" / "unified" / "fct_orders" / "2024-02.parquet"
    (file.with_name("2024-01.parquet")).replace(file)


def _truncate(folder: Path) -> None:
    file = folder / "parquet" / "unified" / "fct_orders" / "2024-02.parquet"
    file.write_bytes(file.read_bytes()[:-20])


def _lose_view(folder: Path) -> None:
    with duckdb.connect(str(folder / "zhongtai.duckdb")) as connection:
        connection.execute("drop view unified.fct_orders")


def _two_files_for_one(folder: Path) -> None:
    place = folder / "parquet" / "unified" / "fct_orders"
    with duckdb.connect(str(folder / "zhongtai.duckdb")) as connection:
        connection.execute(f"create or replace view unified.fct_orders as from read_parquet('{place}/2024-01.parquet')")


@pytest.mark.parametrize("tamper", [_tamper_value, _tamper_rows, _truncate, _lose_view, _two_files_for_one])
def test_the_audit_catches(house: House, tamper: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    write = catalogue.write

    def write_and_tamper(folder: Path, manifest: Any) -> None:
        write(folder, manifest)
        tamper(folder)

    house.build()
    monkeypatch.setattr(catalogue, "write", write_and_tamper)
    with pytest.raises(ZhongtaiError, match=r"^unified\.fct_orders: .*Run again\.$"):
        house.publish()
    assert house.current() is None and house.ids() == []
    monkeypatch.undo()
    assert house.current() is None
    assert house.publish().release_id == house.current() and len(house.folders()) == 1


# Where the process dies, and whether the step was done by then.
STEPS: list[tuple[Any, str, bool]] = [
    (content, "describe", False),
    (content, "_parts", False),
    (publish, "_manifest", False),
    (publish, "_write_checks", False),
    (publish, "_write_dictionary", False),
    (publish, "_write_dictionary", True),
    (catalogue, "write", False),
    (catalogue, "write", True),
    (publish, "audit", True),
    (publish, "_write_durably", False),
    (publish, "_write_durably", True),
    (store, "_append", True),
    (store.os, "replace", False),
    (store, "make_current", True),
]


@pytest.mark.parametrize(("module", "step", "after"), STEPS)
def test_a_crash_leaves_the_current_release(
    published: tuple[House, Any], module: Any, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, first = published
    original = getattr(module, step)
    rows = house.read("from unified.fct_orders order by all")

    def crash(*arguments: Any, **named: Any) -> None:
        if after:
            original(*arguments, **named)
        raise Crash

    house.change("update unified.fct_orders set note = 'new'")
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(module, step, crash)
        house.publish()

    moved = (module, step) == (store, "make_current") and after
    assert (house.current() == first.release_id) is not moved
    assert moved or house.read("from unified.fct_orders order by all") == rows
    whole = set(house.ids())
    assert query(house.merchant, "select count(*) as n from fct_orders").to_pylist() == [{"n": 4}]

    last = house.publish()
    assert house.current() == last.release_id and house.ids()[0] == last.release_id
    assert house.folders() == whole | {last.release_id}, "what was unfinished is gone, what was whole is not"
    assert house.read("select distinct note from unified.fct_orders") == [("new",)]
    assert {each.name for each in house.releases.iterdir() if each.name.startswith(".")} == set()
    assert {each.name for each in (house.releases / last.release_id).iterdir()} == {
        "checks",
        "dictionary.html",
        "dictionary.json",
        "manifest.json",
        "parquet",
        "zhongtai.duckdb",
    }


def test_what_is_not_ours_stays(published: tuple[House, Any]) -> None:
    house, _ = published
    (house.releases / "2024 backup").mkdir()
    (house.releases / "2024-notes.txt").write_text("mine")
    (house.releases / "20240101T000000Z-file").write_text("mine")
    house.publish()
    assert {"2024 backup"} <= house.folders() and (house.releases / "2024-notes.txt").exists()


def test_a_current_release_without_manifest_is_replaced_and_then_removed(published: tuple[House, Any]) -> None:
    house, first = published
    (house.releases / first.release_id / "manifest.json").unlink()
    assert store.current(house.merchant) is None
    second = house.publish()
    assert house.current() == second.release_id
    assert house.read("select count(*) from unified.fct_orders", first) == [(4,)], "its readers keep it until then"
    third = house.publish()
    assert house.folders() == {second.release_id, third.release_id}


def test_two_publishes_in_one_second_do_not_collide(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        ticks = 0

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            cls.ticks += 1
            return datetime(2024, 5, 6, 7, 8, 9, cls.ticks, tzinfo=tz)

    monkeypatch.setattr(publish, "datetime", Stopped)
    house.build()
    ids = [house.publish(run_id=run_id).release_id for run_id in ("ffffff-1", "ffffff-2", "aaaaaa-1", "ffffff-1")]
    assert len(set(ids)) == 4 and all(each.startswith("20240506T070809Z-") for each in ids)
    assert house.ids() == ids[::-1], "newest first, whatever the runs are called"
    assert store.get(house.merchant, ids[0]).release_id == ids[0], "though others begin with it"
    assert [store.rollback(house.merchant).release_id for _ in range(3)] == ids[2::-1]


@pytest.mark.parametrize("name", ['a b\'s "q"', "[brackets] {x} *", "env=prod", "中台", "100%25", "~"])
def test_a_home_may_be_called_anything(tmp_path: Path, make_house: Callable[[Path], House], name: str) -> None:
    house = make_house(tmp_path / name)
    house.build()
    house.publish()
    house.change("update unified.fct_orders set note = 'x' where order_id = 3")
    release = house.publish()
    assert [column for column, *_ in house.read("describe unified.fct_orders")] == [
        column.name for column in release.tables["unified.fct_orders"].columns
    ]
    assert house.read("select count(*) from unified.fct_orders") == [(4,)]
    assert query(house.merchant, "select sum(paid_amount) as s from mart_days").to_pylist() == [
        {"s": Decimal("101.50")}
    ]
    store.relocate(house.merchant)
    assert house.read("select note from unified.fct_orders where order_id = 3") == [("x",)]


def test_the_dictionary_tells_the_latest_business_date(house: House) -> None:
    house.build()
    house.change("insert into unified.fct_orders values (6, null, 1, 'never')")
    house.change("create table unified.dim_days as select timestamp '2024-03-09 17:00:00' as seen_at")
    house.change("create table unified.dim_none as select date '2024-03-09' as day where false")
    release = house.publish()
    columns = {"unified.fct_orders": "placed_date", "marts.mart_days": "stat_date"}
    columns |= {"unified.dim_days": "seen_at", "unified.dim_none": "day"}
    facts = {name: TableFacts(date_column=column) for name, column in columns.items()}
    spec = ReleaseSpec(
        run_id="",
        as_of=release.as_of,
        known_at=1,
        git_sha=None,
        fingerprint="",
        facts=facts,
        tables=house.BY_MONTH,
    )
    folder = house.releases / release.release_id
    assert publish._latest_dates(folder, release, spec, ZoneInfo(house.merchant.time_zone)) == {
        "unified.fct_orders": date(2024, 3, 9),
        "marts.mart_days": date(2024, 3, 9),
        "unified.dim_days": date(2024, 3, 10),
        "unified.dim_none": None,
    }
