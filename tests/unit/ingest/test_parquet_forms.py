"""What Parquet can hold and a contract cannot: bytes, decimals without end, moments of a billionth of a second."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "file": "items*",
    "format": "parquet",
    "load_mode": "append",
    "key": ["id"],
    "columns": {"id": {"data_type": "bigint"}, "name": {"data_type": "string"}},
}


def _put(shop: Shop, **columns: Any) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    shop.put("items.parquet", sink.getvalue().to_pybytes())
    shop.run()


def test_bytes_are_text_where_they_can_be(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    _put(shop, id=[1, 3], name=pa.array(["茶".encode(), None]), picture=pa.array([b"\xff\x00a", "茶".encode()]))
    rows = shop.raw("items", "id, name, _extra")
    assert [(number, name, json.loads(extra)) for number, name, extra in rows] == [
        (1, "茶", {"picture": "\\xFF\\x00a"}),
        (3, None, {"picture": "茶"}),
    ]


def test_bytes_that_are_no_text_break_their_row(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    _put(shop, id=[1, 2], name=pa.array(["茶".encode(), b"\xb2\xe8"]))
    assert shop.counts() == [(2, 1, 1, 0, 0)]
    assert shop.rejected("items")[0]["message"] == "column 'name' holds bytes that are no text"


def test_bytes_within_structures_are_text(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    _put(shop, id=[1], name=pa.array([[{"a": "茶".encode()}]]))
    assert shop.raw("items", "name") == [('[{"a":"茶"}]',)]


@pytest.mark.parametrize("column", ["name", "more"])
def test_decimals_that_the_engine_would_read_wrong_are_a_fault_of_the_file(shop: Shop, column: str) -> None:
    shop.declare(items=ITEMS)
    columns: dict[str, Any] = {"id": [1, 2], "name": ["a", "b"]}
    wide = pa.array([Decimal("12345678901234567890123456789012345678901234.5")] * 2, pa.decimal256(60, 1))
    _put(shop, **(columns | {column: wide}))
    assert shop.counts() == [(2, 0, 2, 0, 0)]


def test_billionths_of_a_second_are_cut(shop: Shop) -> None:
    columns = {"id": {"data_type": "bigint"}, "at": {"data_type": "timestamp"}}
    shop.declare(items={**ITEMS, "columns": columns})
    _put(shop, id=[1], at=pa.array([1_714_557_600_123_456_789], pa.timestamp("ns")))
    assert shop.raw("items", '"at"') == [(datetime.datetime(2024, 5, 1, 10, 0, 0, 123_456),)]
