"""Every form of file gives the same rows: CSV in other encodings, JSON lines, JSON pages, workbooks, packed or not."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import xlsxwriter

from zhongtai.ingest import ledger
from zhongtai.ingest.raw_views import create_raw_views

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "load_mode": "append",
    "key": ["item_id"],
    "columns": {
        "item_id": {"data_type": "string", "source_name": "编号"},
        "name": {"data_type": "string"},
        "amount": {"data_type": "decimal(18,2)", "nullable": False},
        "sold_at": {"data_type": "timestamp", "time_zone": "local"},
    },
}
RECORDS = [
    {"编号": "007", "name": "茶, 绿\n", "amount": 12.5, "sold_at": "2025-11-11 08:00:00"},
    {"编号": "8", "name": None, "amount": "13", "sold_at": "2025-11-11T08:00:00.250+08:00", "new": [1, {"a": 2}]},
    {"编号": "9", "name": 'a "quoted" word', "amount": "dear", "sold_at": None},
]


def _rows(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.raw("items", "item_id, name, amount::varchar, sold_at::varchar, _extra, _row_number")


EXPECTED = [
    ("007", "茶, 绿", "12.50", "2025-11-11 00:00:00", None, 1),
    ("8", None, "13.00", "2025-11-11 00:00:00.25", '{"new":[1,{"a":2}]}', 2),
]


def test_json_lines_become_typed_rows(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "file": "items*.jsonl", "format": "jsonl"})
    shop.put("items.jsonl", "\n".join(json.dumps(record, ensure_ascii=False) for record in RECORDS) + "\n")
    shop.run()
    assert _rows(shop) == EXPECTED
    (fault,) = shop.rejected("items")
    assert (fault["row_number"], fault["line_number"], fault["reason"]) == (3, 3, "type")
    assert fault["row_text"]["amount"] == "dear"


def test_packed_json_lines_are_the_same(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "file": "items*", "format": "jsonl"})
    text = "\n".join(json.dumps(record) for record in RECORDS)
    shop.put("items.jsonl.gz", gzip.compress(text.encode()))
    shop.run()
    assert _rows(shop) == EXPECTED
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("inside.jsonl", text.replace("007", "001").replace('"8"', '"2"').replace('"9"', '"3"'))
    shop.put("items.zip", archive.getvalue())
    shop.run()
    assert [row[0] for row in _rows(shop)] == ["007", "8", "001", "2"]


def test_broken_json_lines_are_quarantined_and_the_others_loaded(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "file": "items*.jsonl", "format": "jsonl"})
    good = '{"编号": "1", "amount": 1, "name": "' + "x" * 3_000_000 + '"}'
    lines = [good, '{"编号": "2", "amo', "", "[1, 2]", '{"编号": "3", "amount": 3, "name": "tab\t"}', '"text"', "null"]
    shop.put("items.jsonl", "\r\n".join(lines))
    shop.run()
    assert [row[0] for row in shop.raw("items", "item_id")] == ["1"]
    assert [(row["line_number"], row["reason"]) for row in shop.rejected("items")] == [
        (2, "structure"),
        (4, "structure"),
        (5, "structure"),
        (6, "structure"),
        (7, "structure"),
    ]
    assert all(load.adds_up for load in ledger.read(shop.merchant))


def test_pages_of_a_rest_interface(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "file": "items*.json", "format": "json", "records": "data.list"})
    for page, records in enumerate(([RECORDS[0]], RECORDS[1:], [])):
        shop.put(f"items_{page}.json", json.dumps({"code": 0, "data": {"page": page, "list": records}}, indent=1))
    shop.put("items_cut.json", '{"code": 0, "data": {"list": [{"编号": "1"')
    shop.put("items_other.json", '{"code": 500, "message": "busy"}')
    shop.run()
    assert [row[:5] for row in _rows(shop)] == [row[:5] for row in EXPECTED]
    assert shop.counts() == [(1, 1, 0, 0, 0), (2, 1, 1, 0, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)]
    assert [load.reason for load in ledger.read(shop.merchant)][3:] == [
        "not a JSON document; it may have been cut short",
        "there is no list of records at data.list",
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig", "utf-16"])
def test_csv_in_other_encodings_with_padded_headers(shop: Shop, encoding: str) -> None:
    shop.declare(items={**ITEMS, "file": "items*.csv", "encoding": encoding})
    for number in (1, 2, 3):
        text = f' 编号 ,name\t,amount, sold_at\n{number}, 绿茶 ,"1.50",2025/11/11 08:00:00\n'
        shop.put(f"items_{number}.csv", text.encode(encoding))
    shop.run()
    assert [row[:4] for row in _rows(shop)] == [
        (str(number), "绿茶", "1.50", "2025-11-11 00:00:00") for number in (1, 2, 3)
    ]


def test_a_truncated_archive_and_a_wrong_encoding_are_whole_file_faults(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "file": "items*"}, other={**ITEMS, "file": "other*.csv", "encoding": "gb18030"})
    packed = gzip.compress(("编号,name,amount,sold_at\n" + "1,a,1,\n" * 5_000).encode())
    shop.put("items_1.csv.gz", packed[: len(packed) // 2])
    shop.put("items_2.csv", "编号,name,amount,sold_at\n2,b,2,\n")
    shop.put("items_3.csv", "编号,name,amount,sold_at\n3,茶,3,\n".encode("gb18030"))
    shop.put("other_1.csv", b"\xff\xff,name")
    shop.run()
    assert [row[0] for row in shop.raw("items", "item_id")] == ["2"]
    reasons = [str(load.reason) for load in ledger.read(shop.merchant)]
    assert "cut short" in reasons[0] and "not readable as utf-8" in reasons[2] and "gb18030" in reasons[3]


def test_a_workbook_lands_for_each_of_its_sheets(shop: Shop) -> None:
    shop.declare(
        items={**ITEMS, "file": "book*.xlsx", "format": "xlsx", "sheet": "items"},
        others={
            "file": "book*.xlsx",
            "format": "xlsx",
            "sheet": "others",
            "load_mode": "append",
            "key": ["day"],
            "columns": {"day": {"data_type": "date"}, "is_open": {"data_type": "boolean"}},
        },
    )
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}) as book:
        import datetime

        items = book.add_worksheet("items")
        items.write_row(1, 0, ["编号", "name", "amount", "sold_at"])
        items.write_row(2, 0, ["007", "绿茶", 12.5])
        items.write_datetime(2, 3, datetime.datetime(2025, 11, 11, 8))
        items.write_row(4, 0, [8, None, "dear"])
        others = book.add_worksheet("others")
        others.write_row(0, 0, ["day", "is_open"])
        others.write_datetime(1, 0, datetime.datetime(2025, 11, 11))
        others.write_boolean(1, 1, True)
    shop.put("book_1.xlsx", content.getvalue())
    shop.put("book_2.xlsx", b"no workbook")
    shop.run()
    assert [row[:4] for row in _rows(shop)] == [("007", "绿茶", "12.50", "2025-11-11 00:00:00")]
    (fault,) = shop.rejected("items")
    assert (fault["row_number"], fault["line_number"], fault["row_text"]["编号"]) == (2, 5, "8")
    assert shop.raw("others", "day::varchar, is_open") == [("2025-11-11", True)]
    assert [load.status for load in ledger.read(shop.merchant)] == ["loaded", "loaded", "quarantined", "quarantined"]
    assert shop.land() == []


def test_a_deleted_key_is_not_shown(shop: Shop) -> None:
    columns = {
        "item_id": {"data_type": "string"},
        "version": {"data_type": "integer"},
        "is_deleted": {"data_type": "boolean"},
    }
    shop.declare(
        items={
            "file": "items*.csv",
            "load_mode": "tombstone",
            "key": ["item_id"],
            "version": "version",
            "deleted": "is_deleted",
            "columns": columns,
        },
        marks={
            "file": "marks*.csv",
            "load_mode": "append",
            "key": ["at"],
            "event_time": "at",
            "columns": {"at": {"data_type": "timestamp"}},
        },
    )
    shop.put("marks.csv", "at,note\n2025-01-01 00:00:00,x\n")
    shop.put("items_1.csv", "item_id,version,is_deleted\na,1,0\nb,1,0\nc,1,0\n")
    shop.put("items_2.csv", "item_id,version,is_deleted\na,2,1\nb,2,1\nb,3,0\n")
    shop.run()
    with duckdb.connect() as warehouse:
        create_raw_views(warehouse, shop.merchant, shop.contracts, [])
        assert warehouse.execute("select item_id from raw_shop.items order by all").fetchall() == [("b",), ("c",)]
        create_raw_views(warehouse, shop.merchant, shop.contracts, [], known_at=2)
        assert len(warehouse.execute("select * from raw_shop.items").fetchall()) == 3
