"""Workbooks: where the header is, numbers that are days, errors and formulas that nobody computed, sheets too large."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter

from zhongtai.ingest import drift, ledger, sheet_scan
from zhongtai.ingest.unpack import FileFault

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "file": "items*",
    "format": "xlsx",
    "load_mode": "append",
    "key": ["id"],
    "columns": {
        "id": {"data_type": "bigint", "source_name": "Order id"},
        "amount": {"data_type": "decimal(18,2)", "source_name": "Order amount"},
        "at": {"data_type": "timestamp"},
    },
}
HEADER = ["Order id", "Order amount", "at"]


def _book(fill: Callable[[Any, Any], Any], **options: Any) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **options}) as book:
        fill(book, book.add_worksheet())
    return content.getvalue()


def _rows(*rows: list[Any]) -> Callable[[Any, Any], None]:
    def fill(_book: Any, sheet: Any) -> None:
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return fill


def _changed(old: bytes, new: bytes, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook of which a part was changed."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_book(_rows(HEADER, [1, 2.5])))) as book,
        zipfile.ZipFile(content, "w") as changed,
    ):
        for name in book.namelist():
            text = book.read(name)
            assert name != part or old in text
            changed.writestr(name, text.replace(old, new) if name == part else text)
    return content.getvalue()


def _run(shop: Shop, content: bytes) -> None:
    shop.declare(items=ITEMS)
    shop.put("items.xlsx", content)
    shop.run()


def test_titles_and_blank_rows_above_the_header_are_ignored(shop: Shop) -> None:
    def fill(_book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 1, 0, 3, "Orders of May")
        sheet.write_row(2, 1, ["made by", "Ann"])
        sheet.write_row(4, 1, HEADER)
        sheet.write_row(6, 1, [1, 2.5])

    _run(shop, _book(fill))
    assert shop.raw("items", "id, amount::varchar, _row_number") == [(1, "2.50", 1)]


def test_a_header_of_two_rows_is_joined(shop: Shop) -> None:
    def fill(_book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 0, 0, 1, "Order")
        sheet.merge_range(0, 2, 1, 2, "at")
        sheet.write_row(1, 0, ["id", "amount"])
        sheet.write_row(2, 0, [1, 2.5])
        sheet.write_row(3, 0, ["x", 2.5])

    _run(shop, _book(fill))
    assert shop.counts() == [(2, 1, 1, 0, 0)]
    (fault,) = shop.rejected("items")
    assert (fault["row_number"], fault["line_number"], fault["column_name"]) == (2, 4, "id")


def test_the_row_most_like_a_header_tells_what_is_missing(shop: Shop) -> None:
    _run(shop, _book(_rows(["Orders"], ["Order id", "at", "sum"], [1], [2])))
    (load,) = ledger.read(shop.merchant)
    assert load.reason == "column 'Order amount' is missing; the file has: Order id, at, sum"
    assert (load.rows_read, load.rows_quarantined) == (2, 2)


@pytest.mark.parametrize("is_1904", [False, True])
def test_numbers_in_columns_of_dates_are_days(shop: Shop, is_1904: bool) -> None:
    shift = 1_462 if is_1904 else 0
    days = [45_351 - shift, 45_351.75 - shift, 2_958_465 - shift, 2_958_466 - shift, -1]
    _run(shop, _book(_rows(HEADER, *([number, 1, day] for number, day in enumerate(days))), date_1904=is_1904))
    assert shop.raw("items", '"at"::varchar') == [
        ("2024-02-29 00:00:00",),
        ("2024-02-29 18:00:00",),
        ("9999-12-31 00:00:00",),
    ]
    assert [row["message"] for row in shop.rejected("items")] == [
        f"'{2_958_466 - shift}' is not a timestamp",
        "'-1' is not a timestamp",
    ]


def test_a_number_in_a_column_of_numbers_is_no_day(shop: Shop) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, [45_351])
        sheet.write_number(1, 1, 0.5, book.add_format({"num_format": "0%"}))
        sheet.write_datetime(1, 2, datetime.datetime(2024, 2, 29, 18))

    _run(shop, _book(fill))
    assert shop.raw("items", 'id, amount::varchar, "at"::varchar') == [(45_351, "0.50", "2024-02-29 18:00:00")]


def test_errors_and_formulas_that_nobody_computed_are_type_faults(shop: Shop) -> None:
    def fill(_book: Any, sheet: Any) -> None:
        _rows(HEADER, [1], [2], [3], [4])(_book, sheet)
        sheet.write_formula(1, 1, "=1/0", value="#DIV/0!")
        sheet.write_formula(2, 1, "=1+1", value="")
        sheet.write_formula(3, 1, "=1+1", value=2)
        sheet.write_formula(4, 2, '=""', value="")
        sheet.write_formula(5, 0, "=4+1", value="")  # below everything else

    _run(shop, _book(fill))
    assert shop.raw("items", "id, amount::varchar") == [(3, "2.00")]
    assert [(row["row_number"], row["line_number"], row["message"]) for row in shop.rejected("items")] == [
        (1, 2, "'#DIV/0!' is not a decimal(18,2)"),
        (2, 3, "'#NOT_COMPUTED!' is not a decimal(18,2)"),
        (4, 5, "'#NOT_COMPUTED!' is not a timestamp"),
        (5, 6, "'#NOT_COMPUTED!' is not a bigint"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            _changed(b"</sheetData>", b'<row r="9000000"><c r="A9000000"><v>1</v></c></row></sheetData>'),
            "no row 9000000",
        ),
        (_changed(b'r="A2"', b'r="ZZZ2"'), "no cell ZZZ2"),
        (_changed(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'), "document type"),
        (_changed(b"</sheetData>", b'<row r="900000"><c r="XFD900000"><v>1</v></c></row></sheetData>'), "XFD900000"),
        (_changed(b'Target="worksheets/sheet1.xml"', b'Target="x"', "xl/_rels/workbook.xml.rels"), "no part xl/x"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it as .xlsx"),
    ],
)
def test_what_no_spreadsheet_writes_is_a_fault_of_the_file(shop: Shop, content: bytes, reason: str) -> None:
    _run(shop, content)
    (load,) = ledger.read(shop.merchant)
    assert load.status == "quarantined" and reason in str(load.reason)


def test_formats_far_away_are_no_values(shop: Shop) -> None:
    far = b'<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
    _run(shop, _changed(b"</sheetData>", far))
    assert shop.counts() == [(1, 1, 0, 0, 0)]


def test_prefixes_and_cells_without_a_place_are_understood(tmp_path: Path) -> None:
    file = tmp_path / "book.xlsx"
    sheet = (
        '<x:worksheet xmlns:x="m"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c><x:c t="e"><x:v>#N/A</x:v></x:c></x:row>'
        '<x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>'
    )
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("xl/workbook.xml", '<workbook><sheets><sheet name="a" r:id="1"/></sheets></workbook>')
        book.writestr("xl/_rels/workbook.xml.rels", '<r><Relationship Id="1" Target="/xl/a.xml"/></r>')
        book.writestr("xl/a.xml", sheet)
    name, found = sheet_scan.scan(file, None)
    assert (name, found.height, found.width, found.filled, found.faulty) == ("a", 2, 2, 2, {0: {1: "#N/A"}})


def test_texts_beyond_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "book.xlsx"
    file.write_bytes(_book(_rows(["a text"])))
    monkeypatch.setattr(sheet_scan, "_TEXT_BYTES", 20)
    with pytest.raises(FileFault, match="more than 20 bytes of text"):
        sheet_scan.scan(file, None)


def test_sheets_that_no_contract_reads_are_told(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """When the workbook lands and whenever contracts are checked; two tables of one workbook tell it once."""

    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        for name in ("more", "notes"):
            book.add_worksheet(name).write_row(0, 0, HEADER)

    shop.declare(items={**ITEMS, "sheet": "Sheet1"}, others={**ITEMS, "sheet": "more"})
    (shop.incoming / "items.xlsx").write_bytes(_book(fill))
    shop.run()
    told = [record.getMessage() for record in caplog.records if "no contract reads" in record.getMessage()]
    assert len(told) == 1 and told[0].endswith("items.xlsx': no contract reads the sheet 'notes'")
    found = drift.check(shop.merchant, shop.contracts, datetime.datetime.now(datetime.UTC))
    unread = [(finding.kind, finding.message, finding.needs_change) for finding in found]
    assert unread == [("unread_sheet", "items.xlsx: no contract reads the sheet 'notes'", False)]
