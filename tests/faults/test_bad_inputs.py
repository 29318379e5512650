"""Every named bad input has the outcome that the specification gives it, and every row is accounted for."""

from __future__ import annotations

import json
import pickle
import resource
import subprocess
import sys
from typing import Any

import duckdb
import pytest

from tests.faults import bad_archives, bad_csv, bad_excel, bad_json, bad_keys, bad_parquet
from tests.faults.cases import BOMB_MEMORY_BYTES, BOMB_SECONDS, Case, Rejected
from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import ledger, quarantine
from zhongtai.ingest.raw_views import create_raw_views

pytestmark = pytest.mark.faults

MODULES = (bad_csv, bad_json, bad_excel, bad_parquet, bad_archives, bad_keys)
CASES = [case for module in MODULES for case in module.CASES]
GOOD: dict[str, Any] = {
    "file": "*.neighbour",
    "format": "csv",
    "load_mode": "append",
    "key": ["id"],
    "event_time": "at",
    "columns": {"id": {"data_type": "bigint"}, "at": {"data_type": "timestamp"}},
}


def _parameter(case: Case) -> Any:
    return pytest.param(case, id=case.name, marks=[pytest.mark.soak] if case.is_slow else [])


@pytest.mark.parametrize("case", map(_parameter, CASES))
def test_bad_input(shop: Shop, case: Case) -> None:
    has_neighbour = bool(case.whole or case.holds or case.is_bomb)
    shop.declare(items={**case.table, "file": "in_*"}, neighbour=GOOD)
    for number, (name, content) in enumerate(case.files):
        shop.put(f"in_{name}", content() if callable(content) else content)
        if number == 0 and has_neighbour:
            shop.put("x.neighbour", "id,at\n1,2024-05-01 10:00:00\n")
        _run(shop, case)

    loads = [load for load in ledger.read(shop.merchant) if load.table == "items"]
    assert all(load.adds_up for load in ledger.read(shop.merchant))
    assert [
        (load.rows_read, load.rows_loaded, load.rows_quarantined, load.rows_duplicate, load.rows_superseded)
        for load in loads
    ] == case.counts
    assert not has_neighbour or len(shop.raw("neighbour")) == 1, "the run did not go on with the other table"
    _check_whole_files(shop, case, loads)
    _check_rejected(shop, case, [load.position for load in loads])
    if case.rows is not None:
        _check_rows(shop, case, loads)


def _run(shop: Shop, case: Case) -> None:
    if not case.is_bomb:
        shop.run()
        return
    shop.land()
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import pickle, sys; from zhongtai.ingest import loader;"
            "loader.load_pending(*pickle.load(sys.stdin.buffer))",
        ],
        input=pickle.dumps((shop.merchant, shop.contracts)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (BOMB_MEMORY_BYTES, BOMB_MEMORY_BYTES)),
        capture_output=True,
        timeout=BOMB_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-500:]


def _check_whole_files(shop: Shop, case: Case, loads: list[ledger.FileLoad]) -> None:
    whole = {number: load.reason for number, load in enumerate(loads, start=1) if load.status == "quarantined"}
    assert list(whole) == list(case.whole)
    assert all(phrase in str(whole[number]) for number, phrase in case.whole.items()), whole
    listed = {file.file for file in quarantine.list_quarantine(shop.merchant)}
    assert listed == {load.file for load in loads if load.status == "quarantined" or load.rows_quarantined}


def _check_rejected(shop: Shop, case: Case, positions: list[int]) -> None:
    """Row, line, column and reason of each; its first fault counts, as it is the one that is shown."""
    shown = [row for row in quarantine.show(shop.merchant, "shop", "items", 1000) if row["reason"] != "file"]
    found = [
        Rejected(
            int(str(row["row_number"])),
            None if row["line_number"] is None else int(str(row["line_number"])),
            None if row["column_name"] is None else str(row["column_name"]),
            str(row["reason"]),
            positions.index(int(str(row["position"]))) + 1,
        )
        for row in shown
    ]
    assert found == case.rejected
    assert all(row["file"] and row["message"] for row in shown)


def _check_rows(shop: Shop, case: Case, loads: list[ledger.FileLoad]) -> None:
    """Raw holds superseded rows too: they are told of by the raw view."""
    columns = ", ".join(f'"{name}"' for name in case.table["columns"])
    has_raw = any(load.status == "loaded" for load in loads)
    assert (shop.raw("items", columns) if has_raw else []) == case.rows
    if case.extra is not None:
        assert [text and json.loads(text) for (text,) in shop.raw("items", "_extra")] == case.extra
    if case.holds is not None:
        with duckdb.connect() as warehouse:
            create_raw_views(warehouse, shop.merchant, shop.contracts, [])
            held = warehouse.execute(f"select {columns} from raw_shop.items order by all").fetchall()
        assert held == case.holds
