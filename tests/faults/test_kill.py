"""`kill -9` at a random moment of an ingest: the next run ends in what an undisturbed one ends in."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pickle
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.bad_excel import cells
from tests.faults.bad_parquet import written
from tests.faults.cases import table
from tests.faults.ingest_process import Arrival, Work, ingest
from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import landing, ledger, quarantine

ROOT = Path(__file__).parents[2]
ROWS = 200
VERSION: dict[str, Any] = {"name": "string", "version": "integer"}
TABLES: dict[str, dict[str, Any]] = {
    "sales": {**table("csv"), "file": "sales_*"},
    "stock": {**table("csv", mode="snapshot"), "file": "stock_*"},
    "persons": {**table("jsonl", mode="upsert", **VERSION, settings={"version": "version"}), "file": "persons_*"},
    "skus": {
        **table(
            "parquet",
            mode="tombstone",
            is_deleted="boolean",
            **VERSION,
            settings={"version": "version", "deleted": "is_deleted"},
        ),
        "file": "skus_*",
    },
    "shops": {**table("xlsx"), "file": "shops_*"},
}


def _content(name: str, number: int, wave: int) -> bytes:
    """A file with a broken row, rows of the file before, and keys that come again; another one in each wave."""
    ids = range(number * ROWS - 20, (number + 1) * ROWS)
    if name in ("sales", "stock"):
        lines = [f"{row},wave {wave if row % 7 == 0 else 0}\n" for row in ids]
        text = "id,name\n" + "".join(lines) + f"x,broken\n{ids[0]},conflict\n"
        return gzip.compress(text.encode(), mtime=0) if name == "stock" else text.encode()
    if name == "persons":
        records = [{"id": row, "name": f"file {number}", "version": wave + number % 3} for row in ids]
        return "".join(json.dumps(record) + "\n" for record in records).encode() + b'{"id": \n'
    if name == "skus":
        columns = {
            "id": [row % 500 for row in ids],
            "name": [f"{number}"] * len(ids),
            "version": [number + wave] * len(ids),
        }
        return written({**columns, "is_deleted": [row % 11 == 0 for row in ids]})
    return cells(["id", "name"], *([row, f"wave {wave}"] for row in ids[:60]), ["x", "broken"])


@cache
def _waves(files: int) -> list[list[Arrival]]:
    """First that many files a table; then, as the clock goes on, a correction and a new one of each."""
    waves: list[list[Arrival]] = []
    clock = 1_700_000_000
    for wave, numbers in enumerate([range(files), [1, files]]):
        waves.append([])
        for number in numbers:
            for name in TABLES:
                clock += 1
                waves[-1].append(Arrival(f"{name}_{number}", _content(name, number, wave), clock))
    return waves


def _work(folder: Path, files: int) -> Work:
    shop = Shop(folder)
    shop.declare(**TABLES)
    return Work(shop.merchant, shop.contracts, shop.incoming, _waves(files))


def _state(work: Work) -> dict[str, Any]:
    """All that has to be the same, in every file that there is: raw, quarantine, ledger and landing."""
    loads = ledger.read(work.merchant)
    assert all(load.adds_up for load in loads)
    landed = landing.read_log(work.merchant)
    hashes = {
        file.path: hashlib.sha256((work.merchant.landing / file.path).read_bytes()).hexdigest() for file in landed
    }
    there = {
        str(file.relative_to(work.merchant.landing)) for file in work.merchant.landing.rglob("*") if file.is_file()
    }
    return {
        "landing": [(file.position, file.table, file.name, file.path, file.sha256) for file in landed],
        "hashes": hashes,
        "left over in landing": sorted(there - set(hashes)),
        "ledger": [load.model_dump(exclude={"batch"}) for load in loads],
        "quarantine": {name: _digest(quarantine.show(work.merchant, "shop", name, 1_000_000)) for name in TABLES},
        "raw": {name: _raw(work, name) for name in TABLES},
    }


def _raw(work: Work, name: str) -> tuple[int, str]:
    """Number and hash of the rows in all files of the table, whatever their order."""
    files = sorted((work.merchant.raw / "shop" / name).glob("*.parquet"))
    rows = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
    return len(rows), _digest(rows)


def _digest(rows: list[dict[str, Any]]) -> str:
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()


def _start(work: Work) -> subprocess.Popen[bytes]:
    """A process that has begun with the work."""
    todo = work.incoming.parent / "work.pickle"
    todo.write_bytes(pickle.dumps(work))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.ingest_process", str(todo)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begins\n"
    return process


@pytest.mark.parametrize(("kills", "files"), [(3, 3), pytest.param(20, 12, marks=pytest.mark.soak)])
def test_killed_at_random_moments(tmp_path: Path, kills: int, files: int) -> None:
    seed = os.environ.get("FAULT_SEED", "1")
    random = Random(seed)
    whole = _work(tmp_path / "whole", files)
    process = _start(whole)
    began = time.monotonic()
    assert process.wait() == 0
    seconds = time.monotonic() - began
    expected = _state(whole)

    for number in range(kills):
        work = _work(tmp_path / f"killed_{number}", files)
        # One of three is killed twice, so that what repairs is killed as well.
        for _ in range(1 + (number % 3 == 2)):
            moment = random.uniform(0, seconds)
            process = _start(work)
            time.sleep(moment)
            process.kill()
            process.wait()
        ingest(work)
        found = _state(work)
        print(f"FAULT_SEED={seed}: kill {number} after {moment:.3f} of {seconds:.3f} seconds")
        assert found == expected, f"FAULT_SEED={seed}: kill {number} after {moment:.3f} s"
