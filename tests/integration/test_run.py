"""The main job as users see it: it publishes, does nothing twice, and never publishes what is wrong."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from tests.integration.conftest import Small

ONE_LINE = """
copy (
    select * replace (
        {basket} as basket_id,
        cast({value} as double) as sales_value,
        cast('{at}' as timestamp) as transaction_timestamp
    )
    from '{source}' limit 1
) to '{target}'
"""


def _plant(small: Small, name: str, basket: int, value: float | str, at: str = "2017-06-01 15:00:00") -> Path:
    """A file with one line, like any other but for its basket and value."""
    target = small.files / name
    source = small.files / "transactions.parquet"
    with duckdb.connect() as connection:
        connection.execute(ONE_LINE.format(basket=basket, value=value, at=at, source=source, target=target))
    return target


def test_first_run_publishes_what_the_files_have(published_once: tuple[Small, str]) -> None:
    small, printed = published_once
    lines, paid = duckdb.sql(
        f"select count(*), sum(cast(sales_value as decimal(18, 2))) from '{small.files}/transactions.parquet'"
    ).fetchone() or (0, 0)
    assert small.query("select count(*), sum(paid_amount) from unified.fct_order_lines") == [(lines, paid)]
    assert small.query("select sum(paid_amount) from marts.mart_kpi_daily where channel_group = 'all'") == [(paid,)]
    assert f"Published {small.manifest['release_id']}" in printed
    assert "ingest    complete_journey.transactions" in printed and f"{lines:,}" in printed


def test_manifest_accounts_for_every_row(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    for name, counts in small.manifest["sources"].items():
        read = duckdb.sql(f"select count(*) from '{small.files}/{name.split('.')[1]}.parquet'").fetchone()
        assert read == (counts["rows_read"],), name
        parts = ("rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded", "rows_erased")
        assert counts["rows_read"] == sum(counts[part] for part in parts), name
    assert small.manifest["checks"]["failed"] == 0 and small.manifest["checks"]["passed"] > 100
    assert small.manifest["silos"]["complete_journey"] == "connected"


@pytest.mark.real
def test_impossible_price_stops_the_publish_until_it_is_corrected(small: Small) -> None:
    before = small.manifest["release_id"]
    planted = _plant(small, "transactions_late.parquet", 999_001, 99_999)
    run = small.run()
    assert run.returncode == 1, run.stdout
    assert "line_price_is_plausible" in run.stdout and "99999.00" in run.stdout and "999001" in run.stdout
    assert "Nothing was published" in run.stdout and before in run.stdout
    assert small.manifest["release_id"] == before
    alerts = (small.home / "small" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert "line_price_is_plausible" in json.loads(alerts[-1])["message"]

    planted.unlink()
    _plant(small, "transactions_late.parquet", 999_001, 9.99)
    run = small.run()
    assert run.returncode == 0, run.stdout
    assert small.manifest["release_id"] > before
    assert small.query("select paid_amount from unified.fct_order_lines where source_order_id = '999001'") == [
        (Decimal("9.99"),)
    ]
    counts = small.manifest["sources"]["complete_journey.transactions"]
    assert (counts["files"], counts["rows_superseded"]) == (3, 1)


def test_second_run_with_nothing_new_publishes_nothing(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    before = sorted(small.releases.iterdir())
    run = small.zhongtai("run")
    assert (run.returncode, run.stderr) == (0, "")
    assert f"Nothing new since release {small.manifest['release_id']}" in run.stdout
    assert "Dagster starts" not in run.stdout
    assert sorted(small.releases.iterdir()) == before


def test_two_runs_do_not_overlap(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    with FileLock(small.home / "small" / "run.lock"):
        run = small.zhongtai("run")
    assert run.returncode == 1 and "Another run of 'small'" in run.stderr


@pytest.mark.real
def test_next_run_while_readers_read(small: Small) -> None:
    """A good row and a broken one arrive: readers never see half of it, the broken one is explained."""
    first = small.manifest["release_id"]
    ((orders_before,),) = small.query("select count(*) from unified.fct_orders")
    _plant(small, "transactions_next.parquet", 999_003, 5)
    _plant(small, "transactions_broken.parquet", 999_002, "'nan'")
    with duckdb.connect(str(small.home / "small" / "warehouse" / "zhongtai.duckdb")) as warehouse:
        warehouse.execute("create table marts.mart_of_a_removed_model as select 1 as anything")
    seen: set[int] = set()
    done = threading.Event()
    reader = threading.Thread(target=_read_until, args=(small, done, seen))
    reader.start()
    # A process of its own, as readers have it: what one process has open of a file, all of its threads share.
    run = small.zhongtai("run", "--merchant", small.name)
    done.set()
    reader.join()

    assert run.returncode == 0, run.stdout
    assert orders_before in seen and seen <= {orders_before, orders_before + 1}
    assert small.query("select count(*) from unified.fct_orders") == [(orders_before + 1,)]
    assert "marts.mart_of_a_removed_model" not in small.manifest["tables"]
    _assert_quarantined(small)
    second = small.manifest["release_id"]
    assert small.zhongtai("releases", "rollback").returncode == 0
    assert small.manifest["release_id"] == first
    assert small.zhongtai("releases", "rollback", second).returncode == 0
    assert small.manifest["release_id"] == second


@pytest.mark.real
def test_as_of_rebuilds_an_earlier_state(small: Small) -> None:
    run = small.run("--as-of", "2017-06-30T03:59:59")
    assert run.returncode == 0, run.stdout
    ((latest, as_of_date),) = small.query(
        "select max(kpi_date), max(as_of_date) from marts.mart_kpi_daily cross join unified.dim_merchants"
    )
    assert (str(latest), str(as_of_date)) == ("2017-06-29", "2017-06-29")
    expected = duckdb.sql(
        f"select count(*) from '{small.files}/transactions.parquet' "
        "where transaction_timestamp <= timestamp '2017-06-30 03:59:59'"
    ).fetchall()
    assert small.query("select count(*) from unified.fct_order_lines") == expected


def _read_until(small: Small, done: threading.Event, seen: set[int]) -> None:
    while not done.is_set():
        ((orders, lines),) = small.query(
            "select (select count(*) from unified.fct_orders), (select sum(line_count) from unified.fct_orders)"
        )
        assert lines >= orders
        seen.add(orders)
        time.sleep(0.1)


def _assert_quarantined(small: Small) -> None:
    counts = small.manifest["sources"]["complete_journey.transactions"]
    assert counts["rows_quarantined"] == 1
    assert counts["rows_read"] == counts["rows_loaded"] + 1
    shown = small.zhongtai("quarantine", "show", "complete_journey.transactions").stdout
    assert "transactions_broken.parquet row 1" in shown and "sales_value" in shown and "type" in shown
    days = small.query("select distinct kpi_date from marts.mart_kpi_daily where not is_complete")
    assert [str(day) for (day,) in days] == ["2017-06-01"]
