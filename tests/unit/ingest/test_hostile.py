"""Bad files among good ones in one batch, kills at every step, and files loaded together as against one by one."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhongtai.ingest import journal, ledger, loader, stored

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ID_NAME: dict[str, Any] = {"id": {"data_type": "bigint"}, "name": {"data_type": "string"}}
ITEMS: dict[str, Any] = {"file": "*", "load_mode": "append", "key": ["id"], "columns": ID_NAME}
AT: dict[str, Any] = {"at": {"data_type": "timestamp", "time_zone": "local"}}
DATED: dict[str, Any] = {**ITEMS, "format": "csv", "event_time": "at", "columns": {**ID_NAME, **AT}}
DAY: dict[str, Any] = {**DATED, "columns": {**ID_NAME, "at": {"data_type": "date"}}}
CSV, LINES, DOCUMENTS, PARQUET, BOOK = (
    {**ITEMS, "format": form} for form in ("csv", "jsonl", "json", "parquet", "xlsx")
)
MakeShop = Callable[[], "Shop"]


def state(shop: Shop) -> tuple[Any, ...]:
    """All that must not depend on how the files were loaded."""
    loads = [load.model_dump(exclude={"batch"}) for load in ledger.read(shop.merchant)]
    assert all(load.adds_up for load in ledger.read(shop.merchant))
    has_raw = any(load["status"] == "loaded" for load in loads)
    return loads, shop.raw("items") if has_raw else [], shop.rejected("items")


def together(make_shop: MakeShop, table: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """Loads the files in one run, and one after the other; returns counts, or the file's fault, by file."""
    shop, apart = make_shop(), make_shop()
    for one in (shop, apart):
        one.declare(items=table)
    for name, content in files.items():
        shop.put(name, content)
        apart.put(name, content)
        apart.run()
    shop.run()
    mine, others = (
        json.loads(json.dumps(state(one), default=str).replace(str(one.folder), "")) for one in (shop, apart)
    )
    assert mine == others
    assert all(row["reason"] and row["file"] and row["row_number"] for row in shop.rejected("items"))
    loads = ledger.read(shop.merchant)
    return {
        load.file: (load.rows_read, load.rows_loaded, load.rows_quarantined) if load.status == "loaded" else load.reason
        for load in loads
    }


def _check(became: dict[str, Any], files: dict[str, tuple[Any, Any]]) -> None:
    """Compares counts; of a file rejected as a whole, a part of the reason."""
    for name, (_, expected) in files.items():
        as_expected = expected in became[name] if isinstance(expected, str) else became[name] == expected
        assert as_expected, (name, became[name])


def zipped(**members: bytes | str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def book_of(fill: Callable[[Any], Any], **options: Any) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **options}) as book:
        fill(book)
    return content.getvalue()


def sheet_of(*rows: list[Any], top: int = 0) -> Callable[[Any], Any]:
    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows, start=top):
            sheet.write_row(number, 0, row)

    return fill


def test_csv_files_of_every_kind_in_one_batch(make_shop: MakeShop) -> None:
    good = "id,name\n{0},a\n{0}x,b\n"
    packed = gzip.compress(("id,name\n" + "".join(f"{i},{i * 7919}\n" for i in range(900, 3000))).encode())
    files: dict[str, tuple[str | bytes, Any]] = {
        "01": (good.format(1), (2, 1, 1)),
        "02 empty": ("", "empty"),
        "03 blank": ("\n\n", "empty"),
        "04 header": ("id,name", (0, 0, 0)),
        "05 other header": ("name,extra,id\na,b,5\n", (1, 1, 0)),
        "06 no column": ("id,title\n6,a\n", "'name' is missing"),
        "07 twice": ("id,id,name\n7,7,a\n", "'id' is there twice"),
        "08 cut.gz": (packed[: len(packed) // 2], "cut short"),
        "09 two.zip": (zipped(a="id,name\n", b="id,name\n"), "holds 2 files"),
        "10 one.zip": (zipped(a=good.format(10)), (2, 1, 1)),
        "11 gb18030": ("id,name\n11,茶\n".encode("gb18030"), "not readable as utf-8"),
        "12 bom": ("\ufeffid,name\n12,a\n", (1, 1, 0)),
        "13 bom.gz": (gzip.compress('\ufeff"id",name\n13,a\n'.encode()), (1, 1, 0)),
        "14 utf-16": ("id,name\n14,a\n".encode("utf-16"), "not readable as utf-8"),
        "15 utf-16 without bom": ("id,name\n15,a\n".encode("utf-16-le"), "is missing"),
        "16 cr": ("id,name\r16,a\r1600,b\r", (2, 2, 0)),
        "17 mixed": ('id,name\r\n17,"a\nb"\n1700,c,d\n1701,e\r1702,f\r\n\n', (4, 3, 1)),
        "18 nul": ("id,name\n18,a\0b\n\0\0\0\n", (2, 1, 1)),
        "19 long": ("id,name\n19," + "x" * 2_500_000 + "\n1900,b,c\n1901,d\n", (3, 2, 1)),
        "20 open quote": ('id,name\n20,a\n2000,"b\n2001,c\n', (3, 2, 1)),
        "21 title": ("Orders 2025\nid,name\n21,a\n", "is missing"),
        "22 controls": ("id,name\n22,a\x1fb\n2200,\x0b\x85\u2028\n#,\x1c\n", (3, 2, 1)),
        "23 workbook": (book_of(sheet_of(["id", "name"])), "files; one is expected"),
        "24 again": (good.format(24) + "1,a\n1,b\n24,a\n", (5, 1, 2)),
    }
    contents = {name: text.encode() if isinstance(text, str) else text for name, (text, _) in files.items()}
    _check(together(make_shop, CSV, contents), files)


def test_json_files_of_every_kind_in_one_batch(make_shop: MakeShop) -> None:
    digits = "1234567890123456789012345678901234567890"
    nested = '{"id": 9, "name": ' + "[" * 50_000 + "]" * 50_000 + "}"
    files = {
        "01": ('{"id": 1, "name": "a"}\n', (1, 1, 0)),
        "02 array": ('[{"id": 2},\n{"id": 3}]\n', (2, 0, 2)),
        "03 pretty": ('{\n  "id": 3\n}\n', (3, 0, 3)),
        "04 digits": (f'{{"id": {digits}}}\n{{"id": 4, "name": {digits}, "x": {digits}}}\n', (2, 1, 1)),
        "05 twice": ('{"id": 5, "id": 50, "name": "a", "name": "b"}\n', (1, 0, 1)),
        "06 surrogate": ('{"id": 6, "name": "\\ud800"}\n{"id": 60, "name": "\\u0000"}\n', (2, 1, 1)),
        "07 control": ('{"id": 7, "name": "\x01"}\n{"id": 70, "name": "\0"}\n', (2, 0, 2)),
        "08 bom": ('\ufeff{"id": 8, "name": "a"}\n\n{"ID": 80}\n', (2, 1, 1)),
        "09 deep": (nested, (1, 1, 0)),
        "10 scalars": ('null\n1\n"x"\n[]\n{}\n', (5, 0, 5)),
        "11 joined": ('{"id": 11}{"id": 12}\n{"id": 13},\n', (2, 0, 2)),
        "12 empty": ("\n\n", (0, 0, 0)),
        "13 crlf": ('{"id": 130}\r\n{"id": 131}\r\n', (2, 2, 0)),
    }
    _check(together(make_shop, LINES, {name: text.encode() for name, (text, _) in files.items()}), files)


def test_json_documents_of_every_kind_in_one_batch(make_shop: MakeShop) -> None:
    files: dict[str, tuple[str, Any]] = {
        "01": ('{"data": {"list": [{"id": 1, "name": "a"}, 4, null, [], {"id": "x"}]}}', (5, 1, 4)),
        "02 lines": ('{"data": {"list": [{"id": 2}]}}\n' * 2, "not a JSON document"),
        "03 list": ('[{"id": 3}]', "no list of records at data.list"),
        "04 object": ('{"data": {"list": {"id": 4}}}', "no list of records"),
        "05 none": ('{"data": {"list": []}}', (0, 0, 0)),
        "06 deep": ('{"data": {"list": ' + "[" * 50_000 + "]" * 50_000 + "}}", (1, 0, 1)),
        "07 pretty": ('{"data":\r\n {"list":\n [\n{"id":\n 7}]}}', (1, 1, 0)),
        "08 cut": ('{"data": {"list": [{"id": 8}', "not a JSON document"),
    }
    table = {**DOCUMENTS, "records": "data.list"}
    _check(together(make_shop, table, {name: text.encode() for name, (text, _) in files.items()}), files)


def test_workbooks_of_every_kind_in_one_batch(make_shop: MakeShop) -> None:
    header = ["id", "name", "at"]
    moment = datetime.datetime(2025, 11, 11, 23, 59, 59)

    def hidden(book: Any) -> None:
        book.add_worksheet().hide()
        sheet_of(header, [20, "b"])(book)
        book.worksheets()[1].activate()

    def formulas(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, header)
        sheet.write_formula(1, 0, "=40+1", value=41)
        sheet.write_formula(1, 1, '="a"&"b"', value="ab")

    def title(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 2, "Report")
        sheet.write_row(1, 0, header)

    good = book_of(sheet_of(header, [1, "007", moment], ["x", 1.5], [10, True, "2025/11/11 1:02:03"], top=2))
    files: dict[str, tuple[bytes, Any]] = {
        "01": (good, (3, 2, 1)),
        "02 hidden": (book_of(hidden), "is empty"),
        "03 1904": (book_of(sheet_of(["at", "id", "name"], [moment, 30, "b"]), date_1904=True), (1, 1, 0)),
        "04 formulas": (book_of(formulas), (1, 1, 0)),
        "05 title": (book_of(title), (0, 0, 0)),
        "06 headless": (book_of(sheet_of([60, "a"])), "is missing"),
        "07 cut": (good[:-200], "not readable as a workbook"),
        "08 header": (book_of(sheet_of(header)), (0, 0, 0)),
        "09 stray": (book_of(sheet_of(header, [90, "a", None, None, "stray"], [None, None, None, " "])), (1, 1, 0)),
        "10 csv": (b"id,name,at\n100,a,\n", "not readable as a workbook"),
        "11 big": (book_of(sheet_of(header, [2**53 - 1, 1e300], [1e20, 0.1])), (2, 1, 1)),
    }
    table = {**BOOK, "columns": {**ID_NAME, **AT}}
    _check(together(make_shop, table, {name: content for name, (content, _) in files.items()}), files)


def test_parquet_of_every_kind_in_one_batch(make_shop: MakeShop) -> None:
    shop = make_shop()
    rows = "from range({0}, {0} + 3000)"
    queries: dict[str, tuple[str, Any]] = {
        "01": (f"select range as id, md5(range::varchar) as name {rows}", (3000, 3000, 0)),
        "02 damaged": (f"select range::double as id, md5(range::varchar) as name {rows}", "not readable as Parquet"),
        "03": (f"select range as id, md5(range::varchar) as name {rows}", (3000, 3000, 0)),
        "04 order": (f"select md5(range::varchar) as name, range as id {rows}", (3000, 3000, 0)),
        "05 text": (f"select range::varchar as id, [range] as name {rows}", (3000, 3000, 0)),
        "06 damaged": (f"select range as id, md5(range::varchar) as name {rows}", "not readable as Parquet"),
        "07 names": (f"select 'q' as filename, range as id, 'a' as name, 1 as file_row_number {rows}", (3000, 3000, 0)),
        "08 more": ("select 90000 as id, 'a' as name, 1 as _file, 2 as s0, 3 as _row_number, 4 as c0", (1, 1, 0)),
        "09 nan": ("select 'nan'::float as id, 'a' as name, '-inf'::double as x, uuid() as y", (1, 0, 1)),
        "10 none": ("select 1 as id, 'a' as name where false", (0, 0, 0)),
        "11 no column": ("select range as id from range(7)", "'name' is missing"),
    }
    files = {}
    for number, (name, (query, _)) in enumerate(queries.items(), start=1):
        content = bytearray(shop.put_parquet(name, query.format(number * 3000)).read_bytes())
        if "damaged" in name:
            content[2_000:40_000] = b"\xff" * 38_000
        files[name] = bytes(content)
    _check(together(make_shop, PARQUET, files), queries)


@pytest.mark.parametrize("form", [CSV, LINES, DOCUMENTS, PARQUET], ids=lambda form: form["format"])
def test_names_of_files(make_shop: MakeShop, form: dict[str, Any]) -> None:
    shop = make_shop()
    files = {}
    for number, name in enumerate(["a[1]", "b*", "c?'\"", "茶 {a,b}", "e\\f", "g\nh", "~i", "%20;--", "-k", "$(l)"]):
        record = f'{{"id": {number}, "name": "a"}}'
        text = {"csv": f"id,name\n{number},a\n", "jsonl": record, "json": f"[{record}]"}.get(form["format"], "")
        parquet = shop.put_parquet(name, f"select {number} as id, 'a' as name").read_bytes()
        files[name] = text.encode() or parquet
    assert set(together(make_shop, form, files).values()) == {(1, 1, 0)}


def _killed(function: Any, at: int, afterwards: bool) -> Any:
    calls = 0

    def call(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            if afterwards:
                function(*arguments, **options)
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return call


STEPS: list[dict[str, str]] = [
    {"a": "id,name\n1,a\nx,b\n", "b": "id,name\n1,a\n1,z\n2,b\n"},
    {"a": "id,name\n1,c\n", "c": "id,name\n2,b\n3,c\ny,\n"},  # a is corrected
]


@pytest.mark.parametrize(
    "place",
    [(journal, "append"), (journal, "put_in_place"), (Path, "replace"), (stored, "remove_unreferenced")],
    ids=lambda place: place[1],
)
def test_killed_at_any_moment(make_shop: MakeShop, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]) -> None:
    whole = make_shop()
    whole.declare(items=CSV)
    for files in STEPS:
        for name, text in files.items():
            whole.put(name, text)
        whole.run()
    for at, afterwards in [(1, False), (2, True), (3, False)]:
        shop = make_shop()
        shop.declare(items=CSV)
        for files in STEPS:
            for name, text in files.items():
                shop.put(name, text)
            with monkeypatch.context() as patch:
                patch.setattr(*place, _killed(getattr(*place), at, afterwards))
                with contextlib.suppress(KeyboardInterrupt):
                    shop.run()
            shop.run()
        assert state(shop) == state(whole), (at, afterwards)


CELL = st.sampled_from(["a", "b", "", " a", 'say "hi"', "two\nlines", "a,b", "茶", "\r"])
ROW = st.tuples(st.sampled_from(["1", "2", "3", "4", "4.0", "x", ""]), CELL, st.sampled_from("123"), st.booleans())
FILE = st.tuples(st.sampled_from("abcd"), st.lists(ROW, max_size=6), st.booleans(), st.booleans())
MODES: dict[str, dict[str, Any]] = {
    "append": {"load_mode": "append"},
    "upsert": {"load_mode": "upsert"},
    "versions": {"load_mode": "upsert", "version": "version"},
    "tombstone": {"load_mode": "tombstone", "version": "version", "deleted": "is_deleted"},
    "snapshot": {"load_mode": "snapshot"},
}
COLUMNS: dict[str, Any] = {**ID_NAME, "version": {"data_type": "integer"}, "is_deleted": {"data_type": "boolean"}}


def _text(form: str, rows: list[tuple[str, str, str, bool]], swapped: bool) -> str:
    if form == "jsonl":
        return "".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n" for row in rows)
    lines = [list(COLUMNS), *([*row[:3], str(row[3]).lower()] for row in rows)]
    quoted = [['"' + value.replace('"', '""') + '"' for value in line] for line in lines]
    return "".join(",".join(line[::-1] if swapped else line) + "\n" for line in quoted)


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        ("append", "csv"),
        ("append", "jsonl"),
        ("upsert", "csv"),
        ("versions", "jsonl"),
        ("tombstone", "csv"),
        ("snapshot", "jsonl"),
    ],
)
@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(files=st.lists(FILE, min_size=3, max_size=5))
def test_how_files_are_split_into_runs_makes_no_difference(
    make_shop: MakeShop, mode: str, form: str, files: list[Any]
) -> None:
    """A file's second landing from the same place is among them: its name says where."""
    shops = [make_shop(), make_shop()]
    for shop in shops:
        shop.declare(items={**ITEMS, "format": form, **MODES[mode], "columns": COLUMNS})
        for number, (name, rows, swapped, is_run_end) in enumerate(files):
            shop.put(name, _text(form, rows, swapped) + "\n" * (number + 1))
            shop.land()
            if is_run_end and shop is shops[0]:
                loader.load_pending(shop.merchant, shop.contracts)
        loader.load_pending(shop.merchant, shop.contracts)
    assert state(shops[0]) == state(shops[1])
