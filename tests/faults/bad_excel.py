"""Workbooks: merged headers, cells of errors and formulas, serial dates, hidden sheets, files that are no workbook."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import xlsxwriter

from tests.faults.cases import Case, Maker, Rejected, one_file, table, whole_file

BOOK = table("xlsx")
MONEY = table("xlsx", amount="decimal(18,2)")
DAY = table("xlsx", day="date")
MOMENT = table("xlsx", at="timestamp")
NAMED = table("xlsx", settings={"sheet": "items"})
ok: Maker = partial(one_file, BOOK)
bad: Maker = partial(whole_file, BOOK)
HEADER = ["id", "name"]


def book(fill: Callable[[Any], Any], **options: Any) -> bytes:
    """A workbook as the filler makes it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **options}) as made:
        fill(made)
    return content.getvalue()


def sheet(*rows: list[Any], name: str | None = None) -> Callable[[Any], Any]:
    def fill(made: Any) -> Any:
        added = made.add_worksheet(name)
        for number, row in enumerate(rows):
            added.write_row(number, 0, row)
        return added

    return fill


def cells(*rows: list[Any], **options: Any) -> bytes:
    return book(sheet(*rows), **options)


def rewritten(part: str, old: bytes, new: bytes) -> bytes:
    """A small workbook of which a part is changed; what follows a NUL in it is cut off."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(cells(HEADER, [1, "a"]))) as made, zipfile.ZipFile(content, "w") as changed:
        for name in made.namelist():
            text = made.read(name)
            changed.writestr(name, text.replace(old, new).partition(b"\0")[0] if name == part else text)
    return content.getvalue()


def _merged_title(made: Any) -> None:
    added = sheet([], HEADER, [1, "a"], ["x", "b"])(made)
    added.merge_range(0, 0, 0, 1, "Order")


def _formula(column: str, value: Any) -> bytes:
    def fill(made: Any) -> None:
        sheet(["id", column], [1])(made).write_formula(1, 1, "=A1/0", value=value)

    return book(fill)


def _hidden(made: Any) -> None:
    sheet(["x"], [1], name="notes")(made)
    sheet(HEADER, [1, "a"], name="items")(made).hide()


def _merged_cells(made: Any) -> None:
    """A value over two rows stands in the first of them only."""
    sheet(HEADER, [1], [2])(made).merge_range(1, 1, 2, 1, "a")


SHEET = "xl/worksheets/sheet1.xml"
FAR_CELL = b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2048)
GOOD = cells(HEADER, [1, "a"])
SHEETS = [
    ok("xlsx: a merged title before the header", book(_merged_title), [(1, "a")], Rejected(2, 4, "id", "type")),
    ok(
        "xlsx: a cell beyond the header",
        cells(HEADER, [1, "a"], [2, "b", "stray"]),
        [(1, "a"), (2, "b")],
        extra=[{"column 3": None}, {"column 3": "stray"}],
    ),
    ok("xlsx: a short row", cells(HEADER, [1], [2, "b"]), [(1, None), (2, "b")]),
    ok("xlsx: cells merged over rows", book(_merged_cells), [(1, "a"), (2, None)]),
    ok("xlsx: padded headers", cells([" id ", "name\n"], [1, "a"]), [(1, "a")]),
    ok(
        "xlsx: a number for an extra header",
        cells(["id", "name", 2024], [1, "a", "x"]),
        [(1, "a")],
        extra=[{"2024": "x"}],
    ),
    bad("xlsx: duplicate header", cells(["id", "id", "name"], [1, 2, "a"]), "'id' is there twice", 1),
    bad("xlsx: missing column", cells(["id", "title"], [1, "a"]), "'name' is missing", 1),
    ok("xlsx: only a header", cells(HEADER), []),
    bad("xlsx: an empty sheet", cells(), "empty"),
    one_file(NAMED, "xlsx: a hidden sheet that the contract names", book(_hidden), [(1, "a")]),
    whole_file(NAMED, "xlsx: the sheet is missing", GOOD, "items"),
    bad("xlsx: a CSV file of that name", b"id,name\n1,a\n", "not readable as a workbook"),
    bad(
        "xlsx: a web page of that name",
        b"<html><table><tr><td>id</td></tr></table></html>",
        "not readable as a workbook",
    ),
    bad("xlsx: an old or encrypted workbook", OLE, "not readable as a workbook"),
    bad("xlsx: cut", GOOD[:-200], "not readable as a workbook"),
    bad("xlsx: empty file", b"", "empty"),
    bad("xlsx: no sheet in the workbook", rewritten("xl/workbook.xml", b"<sheet ", b"<other "), "sheet"),
    bad(
        "xlsx: a sheet cut between its rows",
        rewritten(SHEET, b"</row></sheetData>", b"</row>\0"),
        "not readable as a workbook",
    ),
    bad("xlsx: a sheet that ends early", rewritten(SHEET, b'<row r="2"', b"<!--"), "not readable as a workbook"),
    bad(
        "xlsx: a cell far away",
        rewritten(SHEET, b"</row></sheetData>", FAR_CELL),
        "XFD1048576",
        2,
        is_bomb=True,
    ),
]
VALUES = [
    ok("xlsx: values of formulas", _formula("name", "ab"), [(1, "ab")]),
    one_file(
        MONEY,
        "xlsx: an error cell of a number",
        _formula("amount", "#DIV/0!"),
        [],
        Rejected(1, 2, "amount", "type"),
    ),
    ok("xlsx: an error cell of a text", _formula("name", "#N/A"), [], Rejected(1, 2, "name", "type")),
    one_file(
        MONEY,
        "xlsx: numbers of seventeen digits",
        cells(["id", "amount"], [1, 0.1 + 0.2], [2, 1.005], [3, "1.50"]),
        [(1, Decimal("0.30")), (2, Decimal("1.01")), (3, Decimal("1.50"))],
    ),
    one_file(
        MONEY,
        "xlsx: texts in a column of numbers",
        cells(["id", "amount"], [1, "¥12"], [2, "dear"], [3, True]),
        [],
        *(Rejected(row, row + 1, "amount", "type") for row in (1, 2, 3)),
    ),
    ok(
        "xlsx: half a number for a whole one",
        cells(HEADER, [1.5, "a"], [2.0, "b"], [1e20, "c"]),
        [(2, "b")],
        Rejected(1, 2, "id", "type"),
        Rejected(3, 4, "id", "type"),
    ),
    ok(
        "xlsx: numbers in a column of texts",
        cells(HEADER, [1, 7], [2, 1.5], [3, "007"], [4, True], [5, 1e15]),
        [(1, "7"), (2, "1.5"), (3, "007"), (4, "true"), (5, "1000000000000000")],
    ),
    ok("xlsx: lines and white space in a text", cells(HEADER, [1, " a\nb "], [2, "\u3000"]), [(1, "a\nb"), (2, None)]),
    one_file(
        DAY,
        "xlsx: dates of a format",
        cells(["id", "day"], [1, date(2024, 2, 29)], [2, "2024/1/5"]),
        [(1, date(2024, 2, 29)), (2, date(2024, 1, 5))],
    ),
    one_file(
        DAY,
        "xlsx: serial numbers as dates",
        cells(["id", "day"], [1, 45351], [2, 1]),
        [(1, date(2024, 2, 29)), (2, date(1900, 1, 1))],
    ),
    one_file(
        DAY,
        "xlsx: serial numbers that are no date",
        cells(["id", "day"], [1, 60], [2, 45351.5], [3, -1], [4, 1e9]),
        [],
        *(Rejected(row, row + 1, "day", "type") for row in (1, 2, 3, 4)),
    ),
    one_file(
        DAY,
        "xlsx: dates counted from 1904",
        cells(["id", "day"], [1, date(2024, 2, 29)], date_1904=True),
        [(1, date(2024, 2, 29))],
    ),
    one_file(
        DAY,
        "xlsx: a date with an hour",
        cells(["id", "day"], [1, datetime(2024, 2, 29, 8)]),
        [],
        Rejected(1, 2, "day", "type"),
    ),
    one_file(
        MOMENT,
        "xlsx: moments",
        cells(["id", "at"], [1, datetime(2024, 2, 29, 23, 59, 59)], [2, datetime(2024, 2, 29, 8, 0, 0, 500_000)]),
        [(1, datetime(2024, 2, 29, 23, 59, 59)), (2, datetime(2024, 2, 29, 8, 0, 0, 500_000))],
    ),
    one_file(
        MOMENT,
        "xlsx: serial numbers as moments",
        cells(["id", "at"], [1, 45351.5]),
        [(1, datetime(2024, 2, 29, 12))],
    ),
]

CASES: list[Case] = [*SHEETS, *VALUES]
