"""What the warehouse was built from: told once, and by marks that change when rows may have."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from zhongtai.changes import state
from zhongtai.changes.state import Built, load_marks
from zhongtai.ingest.ledger import FileLoad
from zhongtai.merchant import Merchant

BUILT = Built(
    loads={"shop.orders": {1: "aa", 12: "bb"}, "erp.stock": {2: "cc"}},
    as_of=datetime(2024, 5, 2, 17, 0, 0, 123456, tzinfo=UTC),
    as_of_date=date(2024, 5, 3),
    project="key",
    models={"fct_orders": "dd"},
)


def _load(position: int = 1, **changed: Any) -> FileLoad:
    told = {
        "silo": "shop",
        "table": "orders",
        "file": f"orders_{position}.csv",
        "contract_hash": "c1",
        "batch": 1,
        "rows_read": 20,
        "rows_loaded": 15,
        "rows_quarantined": 2,
        "rows_duplicate": 1,
        "rows_superseded": 2,
    }
    return FileLoad.model_validate({"position": position, **told, **changed})


def test_what_was_recorded_is_taken_once(merchant: Merchant) -> None:
    assert state.take(merchant) is None
    state.record(merchant, BUILT)
    assert state.take(merchant) == BUILT
    assert state.take(merchant) is None


def test_the_last_record_holds_and_nothing_is_left_beside_it(merchant: Merchant) -> None:
    state.record(merchant, BUILT)
    later = BUILT.model_copy(update={"project": "another"})
    state.record(merchant, later)
    assert [file.name for file in merchant.warehouse.iterdir()] == ["built.json"]
    assert state.take(merchant) == later
    assert list(merchant.warehouse.iterdir()) == []


def test_what_is_forgotten_is_not_known(merchant: Merchant) -> None:
    state.forget(merchant)
    state.record(merchant, BUILT)
    state.forget(merchant)
    assert state.take(merchant) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"loads": {"shop.orders": {"1": "aa"',
        b"[]",
        b"null",
        b'{"rows": 3}',
        b"\xff\xfe\x00",
        b'{"loads": [], "as_of": "2024-05-02T17:00:00Z", "as_of_date": "2024-05-03", "project": "", "models": {}}',
        b'{"loads": {}, "as_of": "yesterday", "as_of_date": "2024-05-03", "project": "", "models": {}}',
    ],
    ids=["empty", "torn", "list", "null", "foreign", "not text", "other shape", "no moment"],
)
def test_what_cannot_be_read_is_not_known_and_does_not_stay(merchant: Merchant, content: bytes) -> None:
    (merchant.warehouse / "built.json").write_bytes(content)
    assert state.take(merchant) is None
    assert not (merchant.warehouse / "built.json").exists()


def test_a_record_is_json_that_names_the_files_by_position(merchant: Merchant) -> None:
    state.record(merchant, BUILT)
    told = json.loads((merchant.warehouse / "built.json").read_text(encoding="utf-8"))
    assert told["loads"] == {"shop.orders": {"1": "aa", "12": "bb"}, "erp.stock": {"2": "cc"}}


def test_marks_are_by_table_and_position_of_what_was_loaded() -> None:
    rejected = _load(3, status="quarantined", reason="cannot be read")
    marks = load_marks([_load(1), _load(2, table="refunds"), rejected, _load(4)])
    assert {name: set(positions) for name, positions in marks.items()} == {"shop.orders": {1, 4}, "shop.refunds": {2}}
    assert load_marks([]) == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"contract_hash": "c2"},
        {"batch": 2},
        {"rows_loaded": 17, "rows_quarantined": 0},
        {"rows_loaded": 14, "rows_erased": 1},
        {"rows_loaded": 14, "rows_duplicate": 2},
        {"rows_read": 21, "rows_loaded": 16},
    ],
    ids=["another contract", "another batch", "mended", "erased", "another duplicate", "another row"],
)
def test_a_file_that_was_loaded_another_way_has_another_mark(changed: dict[str, Any]) -> None:
    assert load_marks([_load(**changed)]) != load_marks([_load()])


@pytest.mark.parametrize(
    "changed",
    [
        {"rows_loaded": 10, "rows_superseded": 7},
        {"rows_late": 4},
        {"replaced_by": 9},
    ],
    ids=["superseded", "late", "replaced later"],
)
def test_what_newer_files_do_to_a_file_leaves_its_mark(changed: dict[str, Any]) -> None:
    """The newer file is itself a change; this one holds the rows that it held."""
    assert load_marks([_load(**changed)]) == load_marks([_load()])


def test_counts_do_not_run_into_each_other() -> None:
    one = _load(rows_read=30, rows_loaded=17, rows_quarantined=1, rows_duplicate=10, rows_superseded=2)
    two = _load(rows_read=30, rows_loaded=17, rows_quarantined=11, rows_duplicate=0, rows_superseded=2)
    assert load_marks([one]) != load_marks([two])
