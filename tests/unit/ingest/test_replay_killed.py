"""A replay that is killed at any step and repeated ends in what an undisturbed one ends in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import exported, journal, landing, ledger, loader, quarantine, replay, stored
from zhongtai.ingest.reconcile import reconcile

FIRST = "1,Ann,paid,1.50,2024-05-01 10:00:00\n2,Bob,paid,dear,2024-05-01 11:00:00\n3,Cy,lost,3,2024-05-02 09:00:00\n"
SECOND = "4,Dan,open,4,2024-05-03 10:00:00\n5,Eve,paid,cheap,2024-05-03 11:00:00\n"
# The calls of a replay that change what is on disk: the log of landing, files in place, the ledger, the tidying up.
PLACES: list[tuple[Any, str]] = [
    (journal, "append"),
    (journal, "put_in_place"),
    (Path, "replace"),
    (stored, "remove_unreferenced"),
]


def _waiting(make_shop: Callable[[], Shop]) -> tuple[Shop, Path]:
    """A shop with three rejected rows in two files, and their export, mended but for one."""
    shop = make_shop()
    for name, rows in (("orders_1.csv", FIRST), ("orders_2.csv", SECOND)):
        shop.put(name, shop.HEADER + rows)
        shop.run()
    file = shop.folder / "rejected.csv"
    assert exported.export(shop.merchant, shop.contracts[0], file) == 3
    text = file.read_text(encoding="utf-8-sig")
    for wrong, right in (("Bob,paid,dear", "Bob,paid,2.50"), ("Eve,paid,cheap", "Eve,paid,5.00")):
        assert text.count(wrong) == 1
        text = text.replace(wrong, right)
    file.write_text(text, encoding="utf-8")
    return shop, file


def _replay(shop: Shop, file: Path) -> None:
    replay.replay(shop.merchant, shop.contracts, shop.contracts[0], file)


def _state(shop: Shop) -> dict[str, Any]:
    """Everything that has to be the same."""
    loads = ledger.read(shop.merchant)
    assert all(load.adds_up for load in loads)
    assert reconcile(shop.merchant, shop.contracts) == {("shop", "orders"): []}
    files = [file for file in shop.merchant.landing.rglob("*") if file.is_file() and file.suffix != ".jsonl"]
    return {
        "landing": [(file.position, file.path, file.sha256, file.mends) for file in landing.read_log(shop.merchant)],
        "files": {str(file.relative_to(shop.merchant.landing)): file.read_bytes() for file in files},
        "raw": shop.raw("orders"),
        "rejected": shop.rejected("orders"),
        "ledger": [load.model_dump(exclude={"batch"}) for load in loads],
        "list": quarantine.list_quarantine(shop.merchant),
        "missing": quarantine.missing_dates(shop.merchant, loads),
    }


class _Killed(Exception):
    """Nobody catches it."""


def _killing(function: Any, at: int, is_after: bool, calls: list[int]) -> Any:
    """The function, which ends everything at a call, before or after it has done its work."""

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) != at:
            return function(*arguments, **options)
        if is_after:
            function(*arguments, **options)
        raise _Killed

    return call


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_killed_and_repeated(
    make_shop: Callable[[], Shop], monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], is_after: bool
) -> None:
    whole, file = _waiting(make_shop)
    _replay(whole, file)
    expected = _state(whole)
    # By hand: rows 2 and 5 are mended, in the order of the export; the third waits at its place.
    assert [row[:1] for row in whole.raw("orders", "order_id, _file_position")] == [(1,), (4,), (2,), (5,)]
    assert whole.raw("orders", "_file_position, _row_number")[-2:] == [(3, 1), (3, 2)]
    assert expected["landing"][-1][3] == {1: "2", 2: "2"}

    moments = 0
    while True:
        shop, file = _waiting(make_shop)
        calls: list[int] = []
        with monkeypatch.context() as patched:
            patched.setattr(*place, _killing(getattr(*place), moments + 1, is_after, calls))
            with contextlib.suppress(_Killed):
                _replay(shop, file)
        if len(calls) <= moments:
            break
        moments += 1
        _replay(shop, file)
        assert _state(shop) == expected, f"killed at call {moments}"
        _replay(shop, file)
        assert _state(shop) == expected, "once more changes nothing"
    assert moments


def test_killed_between_log_and_file_the_next_run_finishes(
    make_shop: Callable[[], Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, file = _waiting(make_shop)
    _replay(whole, file)
    shop, file = _waiting(make_shop)
    with monkeypatch.context() as patched:
        patched.setattr(journal, "append", _killing(journal.append, 1, True, []))
        with pytest.raises(_Killed):
            _replay(shop, file)
    assert landing.position(shop.merchant) == 3
    shop.run()
    assert loader.load_pending(shop.merchant, shop.contracts) == []
    assert _state(shop) == _state(whole)
