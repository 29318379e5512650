"""The ledger: the last line of a position holds, a write happens whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from zhongtai.errors import ZhongtaiError
from zhongtai.ingest import ledger
from zhongtai.ingest.ledger import FileLoad

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop


def _load(position: int, **fields: Any) -> FileLoad:
    given = {"silo": "shop", "table": "orders", "file": f"{position}.csv", "contract_hash": "h", **fields}
    return FileLoad(position=position, **given)


def test_the_last_line_of_a_position_holds(shop: Shop) -> None:
    ledger.repair(shop.merchant)
    ledger.append(shop.merchant, [_load(1, rows_read=5, rows_loaded=5), _load(2)])
    ledger.append(shop.merchant, [_load(1, rows_read=5, rows_loaded=4, rows_superseded=1)])

    assert [(load.position, load.rows_loaded) for load in ledger.read(shop.merchant)] == [(1, 4), (2, 0)]


@pytest.mark.parametrize("kept_bytes", [10, -1, None])
def test_a_write_of_which_lines_are_missing_did_not_happen(shop: Shop, kept_bytes: int | None) -> None:
    ledger.repair(shop.merchant)
    ledger.append(shop.merchant, [_load(1, rows_read=1, rows_loaded=1)])
    ledger.append(shop.merchant, [_load(1, rows_read=1, rows_superseded=1), _load(2)])
    file = shop.merchant.raw / "ledger.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[1] + (lines[2][:kept_bytes] if kept_bytes else b""))

    assert [(load.position, load.rows_loaded) for load in ledger.read(shop.merchant)] == [(1, 1)]
    ledger.repair(shop.merchant)
    assert file.read_bytes() == lines[0]


def test_a_broken_line_in_the_middle_is_an_error_with_its_number(shop: Shop) -> None:
    ledger.repair(shop.merchant)
    ledger.append(shop.merchant, [_load(1)])
    file = shop.merchant.raw / "ledger.jsonl"
    file.write_text("not json\n" + file.read_text())
    with pytest.raises(ZhongtaiError, match=r"ledger\.jsonl, line 1"):
        ledger.read(shop.merchant)


def test_table_totals_add_the_files_up() -> None:
    loads = [
        _load(1, rows_read=6, rows_loaded=3, rows_quarantined=1, rows_duplicate=1, rows_superseded=1),
        _load(2, rows_read=4, rows_loaded=4),
        _load(3, table="buyers", rows_read=1, rows_erased=1),
        _load(4, table="buyers", status="quarantined"),
        _load(5, table="buyers", status="quarantined", replaced_by=6),
    ]
    totals = ledger.table_totals(loads)
    assert totals["shop", "orders"].model_dump() == {
        "files": 2,
        "files_rejected": 0,
        "rows_read": 10,
        "rows_loaded": 7,
        "rows_quarantined": 1,
        "rows_duplicate": 1,
        "rows_superseded": 1,
        "rows_erased": 0,
    }
    buyers = totals["shop", "buyers"]
    assert (buyers.files, buyers.files_rejected, buyers.rows_erased) == (3, 1, 1)
    assert all(load.adds_up for load in loads)
    assert not _load(1, rows_read=2, rows_loaded=1).adds_up


def test_latest_moment_prefers_timestamps_to_dates(shop: Shop) -> None:
    days = {
        **shop.ORDERS,
        "file": "d*",
        "event_time": "day",
        "columns": {**shop.ORDERS["columns"], "day": {"data_type": "date"}},
    }
    shop.declare(orders=shop.ORDERS, days={**days, "format": "csv"})
    noon, evening = datetime(2024, 5, 1, 12, tzinfo=UTC), datetime(2024, 5, 1, 18, tzinfo=UTC)
    end_of_day = datetime(2024, 5, 9, 15, 59, 59, 999999, tzinfo=UTC)
    dates = _load(3, table="days", last_event_at=end_of_day)
    loads = [_load(1, last_event_at=noon), _load(2, last_event_at=evening), dates]

    assert ledger.latest_moment(loads, shop.contracts) == evening
    assert ledger.latest_moment(loads, shop.contracts, known_at=1) == noon
    assert ledger.latest_moment([dates], shop.contracts) == end_of_day
    assert ledger.latest_moment([], shop.contracts) is None
