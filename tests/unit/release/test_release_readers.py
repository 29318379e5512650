"""Readers: plain DuckDB clients, anywhere, while releases come and go."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from zhongtai.release import query, store

if TYPE_CHECKING:
    from tests.unit.release.conftest import House

# Opens the current release again and again; both tables say which version they are of, and how many rows they have.
READER = """
import json, sys, time, duckdb
database, stop = sys.argv[1:]
import pathlib
seen, errors = [], []
print("ready", flush=True)
while not pathlib.Path(stop).exists():
    try:
        with duckdb.connect(database, read_only=True) as connection:
            facts = connection.execute("select min(version), max(version), count(*) from unified.fct").fetchone()
            marts = connection.execute("select min(version), max(version), count(*) from marts.mart").fetchone()
        if facts[0] != facts[1] or facts != marts or facts[2] != 10 + facts[0]:
            errors.append(f"mixed: {facts} {marts}")
        seen.append(facts[0])
    except Exception as error:
        errors.append(repr(error))
    time.sleep(0.02)
print(json.dumps([sorted(set(seen)), errors]))
"""


def _version(house: House, number: int) -> None:
    rows = f"select {number} as version, date '2024-01-01' + (i * 9)::integer as day from range({10 + number}) t(i)"
    house.build(unified__fct=rows, marts__mart=rows)


def test_no_reader_sees_an_error_or_a_mixed_release(house: House, tmp_path: Path) -> None:
    _version(house, 0)
    house.publish({})
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(house.database()), str(stop)]
    readers = [subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found: list[tuple[int, int]] = []
    failures: list[str] = []

    def ask() -> None:
        both = "select (select count(*) from fct), (select count(*) from mart), (select max(version) from mart)"
        while not stop.exists():
            try:
                facts, marts, version = query(house.merchant, both).to_pylist()[0].values()
                found.append((facts, marts))
                assert facts == marts == 10 + version
            except Exception as error:  # any at all is a failure of the test
                failures.append(repr(error))
            time.sleep(0.02)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    try:
        for reader in readers:
            assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        for thread in threads:
            thread.start()
        for number in range(1, 11):
            _version(house, number)
            house.publish({})
            for back in (number, number // 2, 0):  # 40 moves of the link in all
                store.rollback(house.merchant, house.ids()[back])
    finally:
        stop.touch()
        for thread in threads:
            thread.join(20)
        outputs = [reader.communicate(timeout=20)[0] for reader in readers]
    assert failures == [] and len(set(found)) > 2
    for output in outputs:
        seen, errors = json.loads(output)
        assert errors == [] and len(seen) > 2


def test_an_open_reader_keeps_its_data_whole(
    published: tuple[House, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, _ = published
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    everything = (
        "select (select sum(paid_amount) from marts.mart_days), sum(order_id), count(*) from unified.fct_orders"
    )
    with duckdb.connect(str(house.database()), read_only=True) as reader:
        before = reader.execute(everything).fetchall()
        house.change("delete from unified.fct_orders; drop table marts.mart_days")
        house.change("create table marts.mart_days as select 7 as paid_amount")
        house.publish()
        assert reader.execute(everything).fetchall() == before and before[0][1:] == (10, 4)
    assert house.read(everything) == [(7, None, 0)]


def test_questions_leave_other_connections_alone(published: tuple[House, Any], tmp_path: Path) -> None:
    house, release = published
    mine = tmp_path / "mine.csv"
    mine.write_text("a\n5\n")
    with duckdb.connect(str(house.database(release)), read_only=True) as notebook:
        assert query(house.merchant, "select count(*) as n from fct_orders").to_pylist() == [{"n": 4}]
        assert notebook.execute(f"select a from read_csv('{mine}')").fetchall() == [(5,)]
        notebook.execute("set threads = 1")
