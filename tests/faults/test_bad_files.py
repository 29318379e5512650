"""Files whose name, kind or rights are unusual, and files that change or leave while they land."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cases import table
from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import landing, ledger, loader

pytestmark = pytest.mark.faults

ITEMS: dict[str, Any] = table("csv")
_PAUSE = 0.001  # seconds between two changes of a file, far less than it takes to land
NAMES = [
    "quote'.csv",
    'double".csv',
    "[1].csv",
    "{a,b}.csv",
    "star*?.csv",
    "line\nend.csv",
    "tab\t.csv",
    "back\\slash.csv",
    " space .csv",
    "茶叶.csv",
    "e\u0301.csv",
    "\u202egpj.csv",
    "-rf.csv",
    "$(id).csv",
    "%s%n.csv",
    "a;drop table items;--.csv",
    "~.csv",
    "#1.csv",
    "x" * 246 + ".csv",
    "茶" * 82 + ".csv",
    "CON.csv",
    "two..dots.csv",
]


def _content(number: int, rows: int = 1, name: str = "a") -> str:
    return "id,name\n" + "".join(f"{number * 100_000 + row},{name}\n" for row in range(rows))


def _all_loaded(shop: Shop, files: int) -> None:
    loads = ledger.read(shop.merchant)
    assert len(loads) == files
    assert all(load.adds_up and load.rows_loaded == load.rows_read > 0 for load in loads)


def test_names_of_files(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    for number, name in enumerate(NAMES):
        shop.put(name, _content(number))
    shop.run()
    _all_loaded(shop, len(NAMES))
    assert [load.file for load in ledger.read(shop.merchant)] == NAMES
    assert shop.raw("items", "id") == [(number * 100_000,) for number in range(len(NAMES))]


def test_a_rejected_row_names_its_file(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    for number, name in enumerate(NAMES):
        shop.put(name, f"id,name\nx,a\n{number},b\n")
    shop.run()
    rejected = [(row["file"], row["row_number"], row["line_number"]) for row in shop.rejected("items")]
    assert rejected == [(name, 1, 2) for name in NAMES]


def test_a_name_that_is_no_text(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """A name in an old encoding cannot be written down as text: the file waits, and is told of."""
    shop.declare(items=ITEMS)
    shop.put("good.csv", _content(1))
    bad = Path(os.fsdecode(os.fsencode(shop.incoming) + b"/\xb2\xe8.csv"))
    bad.write_text(_content(2), encoding="utf-8")
    shop.run()
    assert [(load.file, load.rows_loaded) for load in ledger.read(shop.merchant)] == [("good.csv", 1)]
    assert any("\\udcb2\\udce8.csv" in record.getMessage() for record in caplog.records)
    bad.rename(shop.incoming / "renamed.csv")
    shop.run()
    _all_loaded(shop, 2)


def _folder(place: Path) -> None:
    place.mkdir()


def _endless_link(place: Path) -> None:
    place.symlink_to(place)


def _dangling_link(place: Path) -> None:
    place.symlink_to(place.parent / "nowhere")


def _looping_folder(place: Path) -> None:
    place.mkdir()
    (place / "again").symlink_to(place)


def _pipe(place: Path) -> None:
    os.mkfifo(place)


@pytest.mark.parametrize("make", [_folder, _endless_link, _dangling_link, _looping_folder, _pipe])
def test_what_is_no_file(shop: Shop, make: Callable[[Path], None]) -> None:
    """In a process of its own: reading a pipe to which nobody writes would never end."""
    shop.declare(items=ITEMS)
    shop.put("good.csv", _content(1))
    make(shop.incoming / "bad.csv")
    code = (
        "import pickle, sys; from zhongtai.ingest import landing, loader; shop = pickle.load(sys.stdin.buffer);"
        "landing.land(*shop); loader.load_pending(*shop)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((shop.merchant, shop.contracts)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-500:]
    _all_loaded(shop, 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    shop.put("1.csv", _content(1))
    closed = shop.put("2.csv", _content(2))
    shop.put("3.csv", _content(3))
    closed.chmod(0)
    shop.run()
    _all_loaded(shop, 2)
    closed.chmod(0o600)
    shop.run()
    _all_loaded(shop, 3)


@contextmanager
def _meanwhile(change: Callable[[], None]) -> Iterator[None]:
    """Does the change again and again in another thread, as long as the block runs."""
    is_over = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            # Pauses, so that what changes does not grow without end where the block takes long.
            while not is_over.wait(_PAUSE):
                change()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        time.sleep(0.02)
        yield
    finally:
        is_over.set()
        thread.join()
    assert not failures, failures


def _check_landed(shop: Shop) -> None:
    """Every landed file is what its hash in the log says."""
    for file in landing.read_log(shop.merchant):
        content = (shop.merchant.landing / file.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256, file.name


def test_files_that_are_replaced_while_they_land(shop: Shop) -> None:
    """Each is swapped for another version all the time: one whole version lands, and in the end the last holds."""
    shop.declare(items=ITEMS)
    places = [shop.put(f"{number}.csv", _content(number, 500)) for number in range(20)]
    rounds = count()

    def change() -> None:
        number = next(rounds)
        place = places[number % len(places)]
        part = place.with_suffix(".part")
        part.write_text(_content(number % len(places), 500, f"version {number}"), encoding="utf-8")
        part.replace(place)

    with _meanwhile(change):
        for _ in range(2):
            shop.land()
            loader.load_pending(shop.merchant, shop.contracts)
    for place in places:
        place.write_text(_content(places.index(place), 500, "last"), encoding="utf-8")
    shop.run()
    _check_landed(shop)
    loads = ledger.read(shop.merchant)
    assert all(load.adds_up and load.rows_read == 500 for load in loads)
    holding = [load for load in loads if load.holds(None)]
    assert sum(load.rows_loaded for load in holding) == 500 * len(places)
    assert sum(load.rows_quarantined for load in loads) == 0


def test_files_that_grow_while_they_land(shop: Shop) -> None:
    """A file is still written to: what landed is a part of it; in the end all of it holds, and is counted once."""
    shop.declare(items=ITEMS)
    place = shop.put("grows.csv", "id,name\n")
    shop.put("good.csv", _content(900))
    rows = count()

    def change() -> None:
        with place.open("a", encoding="utf-8") as file:
            file.write("".join(f"{next(rows)},{'x' * 50}\n" for _ in range(200)))

    with _meanwhile(change):
        for _ in range(3):
            shop.run()
    shop.run()
    _check_landed(shop)
    loads = ledger.read(shop.merchant)
    written = next(rows)
    assert all(load.adds_up for load in loads)
    assert sum(load.rows_loaded for load in loads if load.holds(None)) == written + 1


@pytest.mark.parametrize("access", range(1, 7))
def test_a_file_that_leaves_while_it_lands(shop: Shop, monkeypatch: pytest.MonkeyPatch, access: int) -> None:
    """It is taken away before it is looked at for the n-th time: the others land, and it does when it is back."""
    shop.declare(items=ITEMS)
    shop.put("1.csv", _content(1))
    leaving = shop.put("2.csv", _content(2))
    shop.put("3.csv", _content(3))
    away = shop.folder / "away.csv"
    accesses = 0

    def watched(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(place: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal accesses
            if isinstance(place, str | Path) and Path(place) == leaving:
                accesses += 1
                if accesses == access:
                    leaving.rename(away)
            return function(place, *arguments, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", watched(os.stat))
        patch.setattr(io, "open", watched(io.open))
        shop.run()
    if away.exists():
        away.rename(leaving)
    shop.run()
    _check_landed(shop)
    _all_loaded(shop, 3)
