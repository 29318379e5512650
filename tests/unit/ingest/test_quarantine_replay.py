"""Rejected rows are taken out, mended and loaded after all: once, and for ever."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import stat
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from rich.console import Console

from orchestration import mending
from zhongtai.errors import UsageError
from zhongtai.ingest import exported, landing, ledger, quarantine, replay
from zhongtai.ingest.row_numbers import format_numbers, parse_numbers

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop
    from zhongtai.ingest.contract import Contract


MENDED: dict[str, Any] = {
    "load_mode": "append",
    "key": ["id"],
    "event_time": "day",
    "columns": {
        "id": {"data_type": "string", "source_name": "编号"},
        "buyer": {"data_type": "string", "personal_data": "identifier"},
        "amount": {"data_type": "decimal(18,2)", "nullable": False},
        "day": {"data_type": "date"},
    },
}
NAMES = ("编号", "buyer", "amount", "day", "more")
ROWS = [
    ("007", "Ann", "1.50", "2024-05-01", "x"),
    ("008", "Bob", "dear", "2024-05-01", "y"),
    ("009", "Eve", "", "2024-05-02", None),
    ("007", "Zoe", "9.00", "2024-05-02", None),
]


def _content(form: str) -> bytes:
    """The rows in a form; the text forms are in GB18030."""
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    if form == "csv":
        lines = [",".join(value or "" for value in row) for row in (NAMES, *ROWS)]
        return ("\n".join(lines) + "\n").encode("gb18030")
    if form == "jsonl":
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode("gb18030")
    if form == "json":
        return json.dumps({"data": records}, ensure_ascii=False).encode("gb18030")
    sink = io.BytesIO()
    if form == "parquet":
        pq.write_table(pa.table({name: [record[name] for record in records] for name in NAMES}), sink)
        return sink.getvalue()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("items")
        for number, row in enumerate((NAMES, *ROWS)):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def _shop_of(shop: Shop, form: str) -> Contract:
    more = {"json": {"records": "data"}, "xlsx": {"sheet": "items"}}.get(form, {})
    encoding = {"encoding": "gb18030"} if form in ("csv", "jsonl", "json") else {}
    shop.declare(items={**MENDED, "file": "items*", "format": form, **more, **encoding})
    shop.put(f"items.{form}", _content(form))
    shop.run()
    return shop.contracts[0]


def _lines(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _save(file: Path, lines: list[dict[str, str]], encoding: str = "utf-8-sig", delimiter: str = ",") -> Path:
    with file.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(lines)
    return file


FORMS = ["csv", "jsonl", "json", "xlsx", "parquet"]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_mended_is_loaded_once_and_waits_no_more(shop: Shop, tmp_path: Path, form: str) -> None:
    contract = _shop_of(shop, form)
    assert shop.counts() == [(4, 1, 3, 0, 0)]
    file = tmp_path / "rejected.csv"

    assert exported.export(shop.merchant, contract, file) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = _lines(file)
    assert [(line["编号"], line["buyer"], line["amount"], line["_reason"]) for line in lines] == [
        ("008", "Bob", "dear", "type"),
        ("009", "Eve", "", "null"),
        ("007", "Zoe", "9.00", "key_conflict"),
    ]
    lines[0]["amount"] = "2.50"
    lines[1]["amount"] = "cheap"
    _save(file, lines)
    replayed = replay.replay(shop.merchant, shop.contracts, contract, file)

    assert replayed.load is not None and replayed.unchanged == 1
    assert shop.counts() == [(4, 1, 3, 0, 0), (2, 1, 1, 0, 0)]
    assert shop.raw("items", "id, buyer, amount::varchar, _extra") == [
        ("007", "Ann", "1.50", '{"more":"x"}'),
        ("008", "Bob", "2.50", '{"more":"y"}'),
    ]
    (first, second) = quarantine.list_quarantine(shop.merchant)
    assert (first.mended, second.reasons) == (2, {"type": 1})
    shown = quarantine.show(shop.merchant, "shop", "items")
    assert [row["mended_by"] for row in shown] == [2, 2, None, None]
    assert quarantine.missing_dates(shop.merchant, ledger.read(shop.merchant)) == {
        ("shop", "items", date(2024, 5, 2)): 2
    }

    again = replay.replay(shop.merchant, shop.contracts, contract, file)
    assert (again.load, again.known, again.unchanged) == (None, 2, 1)
    assert landing.position(shop.merchant) == 2

    exported.export(shop.merchant, contract, tmp_path / "second.csv")
    lines = _lines(tmp_path / "second.csv")
    assert [(line["编号"], line["amount"]) for line in lines] == [("007", "9.00"), ("009", "cheap")]
    lines[1]["amount"] = "3"
    replay.replay(shop.merchant, shop.contracts, contract, _save(tmp_path / "second.csv", lines))
    assert shop.raw("items", "id, amount::varchar")[-1] == ("009", "3.00")


@pytest.mark.parametrize("form", FORMS)
def test_a_rebuild_from_landing_gives_the_same(shop: Shop, tmp_path: Path, form: str) -> None:
    contract = _shop_of(shop, form)
    exported.export(shop.merchant, contract, tmp_path / "rejected.csv")
    lines = _lines(tmp_path / "rejected.csv")
    lines[0]["amount"] = "2.50"
    replay.replay(shop.merchant, shop.contracts, contract, _save(tmp_path / "rejected.csv", lines))

    def state() -> tuple[Any, ...]:
        loads = ledger.read(shop.merchant)
        return (
            shop.raw("items"),
            shop.rejected("items"),
            [load.model_dump(exclude={"batch"}) for load in loads],
            quarantine.missing_dates(shop.merchant, loads),
            quarantine.list_quarantine(shop.merchant),
        )

    before = state()
    shutil.rmtree(shop.merchant.raw)
    shutil.rmtree(shop.merchant.quarantine)
    shop.run()
    assert state() == before


def test_where_a_record_stands_in_bytes(shop: Shop) -> None:
    for form, encoding in (("csv", "gb18030"), ("csv", "utf-16"), ("csv", "utf-8-sig"), ("jsonl", "utf-8")):
        shop.declare(items={**MENDED, "file": f"{encoding}*", "format": form, "encoding": encoding})
        text = _content(form).decode("gb18030").replace("Ann", '"茶\r𠮷"' if form == "csv" else "茶𠮷")
        shop.put(encoding, text.encode(encoding))
        (load,) = shop.run()
        shown = [row for row in quarantine.show(shop.merchant, "shop", "items") if row["position"] == load.position]
        found = quarantine.with_byte_offsets(shop.merchant, shop.contracts[0], shown)
        content = text.encode(encoding)
        plain = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)
        expected = [content.index(start.encode(plain)) for start in text.splitlines(keepends=False) if "00" in start]
        assert len(found) >= 2
        assert all(row["byte_offset"] in expected for row in found), (found, expected)
        shutil.rmtree(shop.merchant.home)
        (shop.incoming / encoding).unlink()


def test_packed_files_are_measured_unpacked(shop: Shop) -> None:
    shop.declare(items={**MENDED, "file": "items*", "format": "csv", "encoding": "gb18030"})
    shop.put("items.csv.gz", gzip.compress(_content("csv")))
    shop.run()
    rows = quarantine.with_byte_offsets(
        shop.merchant, shop.contracts[0], quarantine.show(shop.merchant, "shop", "items", 1)
    )
    assert rows[0]["byte_offset"] == _content("csv").index(b"008")


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8", ";"), ("gb18030", ","), ("utf-16", "\t")])
def test_what_a_spreadsheet_makes_of_the_export_is_read(
    shop: Shop, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    contract = _shop_of(shop, "csv")
    exported.export(shop.merchant, contract, tmp_path / "rejected.csv")
    lines = _lines(tmp_path / "rejected.csv")
    lines[0]["amount"], lines[0]["buyer"] = "2.50", "茶\nand; more"
    _save(tmp_path / "rejected.csv", lines, encoding, delimiter)
    replayed = replay.replay(shop.merchant, shop.contracts, contract, tmp_path / "rejected.csv")
    assert replayed.load is not None and replayed.load.rows_loaded == 1
    assert shop.raw("items", "id, buyer")[-1] == ("008", "茶\nand; more")


def test_a_workbook_keeps_what_a_spreadsheet_would_change(shop: Shop, tmp_path: Path) -> None:
    contract = _shop_of(shop, "csv")
    file = tmp_path / "rejected.xlsx"
    assert exported.export(shop.merchant, contract, file) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [row.values["编号"] for row in exported.read(contract, file)] == ["008", "009", "007"]
    assert replay.replay(shop.merchant, shop.contracts, contract, file).unchanged == 3


def test_a_mended_contract_loads_the_rejected_rows(shop: Shop) -> None:
    contract = _shop_of(shop, "csv")
    assert replay.reload(shop.merchant, shop.contracts, contract).files == 0
    columns = {**MENDED["columns"], "amount": {"data_type": "string"}}
    shop.declare(items={**MENDED, "file": "items*", "format": "csv", "encoding": "gb18030", "columns": columns})
    result = replay.reload(shop.merchant, shop.contracts, shop.contracts[0])
    assert (result.files, result.before, result.mended, result.rejected) == (1, (3, 0), (2, 0), (1, 0))
    assert shop.counts() == [(4, 3, 1, 0, 0)]


def test_a_file_that_was_rejected_as_a_whole_is_told_as_a_file(shop: Shop) -> None:
    contract = _shop_of(shop, "csv")
    shop.put("items_2.csv", "编号,purchaser,amount,day\n011,a,1.00,2024-05-01\n012,b,x,2024-05-01\n".encode("gb18030"))
    shop.run()
    assert _told(replay.reload(shop.merchant, shop.contracts, contract)) == (
        "The contract of shop.items is the one that its files were loaded by: nothing to load again; 3 rows and 1 "
        "whole file in quarantine. Mend the contract, or export and mend the rows. See docs/quarantine.md"
    )
    columns = {**MENDED["columns"], "buyer": {**MENDED["columns"]["buyer"], "also_named": ["purchaser"]}}
    shop.declare(items={**MENDED, "file": "items*", "format": "csv", "encoding": "gb18030", "columns": columns})
    assert _told(replay.reload(shop.merchant, shop.contracts, shop.contracts[0])) == (
        "shop.items: 2 files loaded again. Rejected before: 3 rows and 1 whole file. Not any more: 1 whole file. "
        "Rejected now: 4 rows. Next: zhongtai run"
    )


def _told(result: replay.Reloaded) -> str:
    sink = io.StringIO()
    mending.print_reloaded("shop.items", result, Console(file=sink, width=80))
    return sink.getvalue().strip()


def test_broken_lines_are_exported_as_they_stand(shop: Shop, tmp_path: Path) -> None:
    shop.declare(items={**MENDED, "file": "items*", "format": "csv"})
    shop.put("items.csv", '编号,buyer,amount,day\n1,a,1,2024-05-01\n2,"b,2,2024-05-01\n3,c,3\n')
    shop.run()
    file = tmp_path / "rejected.csv"
    exported.export(shop.merchant, shop.contracts[0], file)
    lines = _lines(file)
    assert [line["_record"] for line in lines] == ['2,"b,2,2024-05-01', "3,c,3"]
    for line, number in zip(lines, "23", strict=True):
        line.update({"编号": number, "buyer": "b", "amount": number, "day": "2024-05-01"})
    replay.replay(shop.merchant, shop.contracts, shop.contracts[0], _save(file, lines))
    assert shop.counts() == [(3, 1, 2, 0, 0), (2, 2, 0, 0, 0)]
    assert quarantine.missing_dates(shop.merchant, ledger.read(shop.merchant)) == {}


def test_broken_records_of_json_are_exported_as_they_stand(shop: Shop, tmp_path: Path) -> None:
    shop.declare(items={**MENDED, "file": "items*", "format": "jsonl"})
    lines = [
        '{"编号": "1", "amount": 1.10',
        '{"编号": "2", "编号": "3", "amount": 1}',
        '{"编号": "4", "buyer": [1.5, null]}',
    ]
    shop.put("items.jsonl", "\n".join(lines))
    shop.run()
    exported.export(shop.merchant, shop.contracts[0], tmp_path / "rejected.csv")
    found = _lines(tmp_path / "rejected.csv")
    assert [(line["编号"], line["buyer"], line["_record"]) for line in found] == [
        ("", "", lines[0]),
        ("", "", lines[1]),
        ("4", "[1.5, null]", ""),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_file": "00000009_items.csv"}, "line 2: no file with the number 9 has landed"),
        ({"_file": "items.csv"}, "line 2: '_file' and '_row_number' must stay"),
        ({"_extra": "[1]"}, "line 2: '_extra' is no JSON object"),
        ({"_row_number": "3"}, "line 3: this row of .* is there twice"),
    ],
)
def test_a_spoilt_export_is_refused(shop: Shop, tmp_path: Path, change: dict[str, str], message: str) -> None:
    contract = _shop_of(shop, "csv")
    file = tmp_path / "rejected.csv"
    exported.export(shop.merchant, contract, file)
    with pytest.raises(UsageError, match="exists, and may have been mended"):
        exported.export(shop.merchant, contract, file)
    lines = _lines(file)
    lines[0].update(change)
    with pytest.raises(UsageError, match=message):
        replay.replay(shop.merchant, shop.contracts, contract, _save(file, lines))
    assert landing.position(shop.merchant) == 1


def test_a_row_has_no_place_where_the_last_to_land_holds(shop: Shop, tmp_path: Path) -> None:
    shop.declare(items={**MENDED, "file": "items*", "format": "csv", "load_mode": "upsert"})
    with pytest.raises(UsageError, match="no version column"):
        replay.replay(shop.merchant, shop.contracts, shop.contracts[0], tmp_path / "any.csv")


def test_a_file_that_is_rejected_as_a_whole_degrades_its_table_until_it_is_corrected(shop: Shop) -> None:
    shop.put("orders_1.csv", "id\n1\n")
    shop.run()
    assert [load.file for load in quarantine.degraded(shop.merchant)["shop", "orders"]] == ["orders_1.csv"]
    shop.put("orders_1.csv", shop.HEADER + "1,Ann,paid,1,2024-05-01 10:00:00\n")
    shop.run()
    assert quarantine.degraded(shop.merchant) == {}
    assert quarantine.list_quarantine(shop.merchant)[0].replaced_by == 2


@pytest.mark.parametrize(("numbers", "text"), [([], ""), ([4], "4"), ([9, 3, 4, 5], "3-5,9"), ([1, 3], "1,3")])
def test_row_numbers_are_written_as_ranges(numbers: list[int], text: str) -> None:
    assert format_numbers(numbers) == text
    assert parse_numbers(text) == sorted(numbers)
