"""Faults of ingest that hostile files found."""

from __future__ import annotations

import io
import pickle
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.unit.ingest.test_hostile import (
    BOOK,
    CSV,
    DATED,
    DAY,
    DOCUMENTS,
    LINES,
    PARQUET,
    MakeShop,
    book_of,
    sheet_of,
    state,
    together,
    zipped,
)
from zhongtai.ingest import landing
from zhongtai.ingest.raw_views import create_raw_views

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop


def _case(what: str, *values: Any) -> Any:
    return pytest.param(*values, id=what)


LONG_LINE = b'{"id": 9, "name": "' + b"x" * 2_200_000 + b'"}\n'


@pytest.mark.parametrize(
    "text",
    [
        _case("a line of spaces is a broken record or none", b'{"id": 1}\n  \n'),
        _case("white space of other scripts breaks a record or not", '{"id": 1}\u3000\n'.encode()),
        _case(
            "a lone carriage return and a blank line: one line, or two and a record of nothing",
            b'{"id": 1,\r"name": ""}\n\n',
        ),
        _case("what follows 0x1f is dropped without a word", b'{"id": 1}\x1f{"id": 2}\n'),
        _case("spaces before a broken record are in quarantine or not", b'{"id": 1}\n  {"id": \n'),
    ],
)
def test_a_long_line_elsewhere_changes_nothing(make_shop: MakeShop, text: bytes) -> None:
    together(make_shop, LINES, {"1": text, "2": LONG_LINE})


def _broken_zip(method: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("x", b"id,name\n" + "".join(f"{i},{i * 7919}\n" for i in range(3000)).encode())
    return content.getvalue()[:200] + b"\xaa" * 100 + content.getvalue()[300:]


def _rewritten(part: str, old: bytes, new: bytes) -> bytes:
    """A workbook of which a part was changed."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book_of(sheet_of(*BOOK_ROWS)))) as book, zipfile.ZipFile(content, "w") as changed:
        for name in book.namelist():
            changed.writestr(name, book.read(name).replace(old, new) if name == part else book.read(name))
    return content.getvalue()


BOOK_ROWS = (["id", "name"], [1, "a"])
ARCHIVE = zipped(**{"茶": "id,name\n1,a\n"})
PARQUET_ROWS = "select 1 as id, 'a' as name"
SHEET_XML = "xl/worksheets/sheet1.xml"
DAMAGED: list[Any] = [
    _case("OverflowError: the day after 9999-12-31", DAY, b"id,name,at\n1,a,9999-12-31\n"),
    _case("TypeError: year 0 is text in Python", DAY, b"id,name,at\n1,a,0000-01-01\n"),
    _case("TypeError: year 1 in Shanghai is year 0 in UTC", DATED, b"id,name,at\n1,a,0001-01-01\n"),
    _case("the ledger cannot be read any more", DATED, b"id,name,at\nx,a,0000-01-01\n"),
    _case("ConversionException: days beyond timestamps", DATED, f"{PARQUET_ROWS}, date '5881000-01-01' as at"),
    _case(
        "ConversionException: a clock beyond UTC",
        DATED,
        f"{PARQUET_ROWS}, timestamp '290309-12-22 (BC) 00:00:01' as at",
    ),
    _case("ParserException: NUL ends the query", CSV, b"id,name,x\0y\n1,a,b\n"),
    _case("LZMAError", CSV, _broken_zip(zipfile.ZIP_LZMA)),
    _case("OSError of bzip2", CSV, _broken_zip(zipfile.ZIP_BZIP2)),
    _case("OSError: the directory is elsewhere", CSV, ARCHIVE[:-6] + b"\xff\0\0\0" + ARCHIVE[-2:]),
    _case("UnicodeDecodeError: the member's name", CSV, ARCHIVE.replace("茶".encode(), b"\xcb\1\1")),
    _case("IndexError: no sheet", BOOK, _rewritten("xl/workbook.xml", b"<sheet ", b"<other ")),
    _case("PanicException", BOOK, _rewritten(SHEET_XML, b'r="A2"', b'r="ZZZZZZ99999999999"')),
    _case("BinderException: a name of our own in capitals", PARQUET, f"{PARQUET_ROWS}, 1 as _File"),
    _case("duckdb.Error: a broken page header", PARQUET, PARQUET_ROWS),
]


@pytest.mark.parametrize(("table", "bad"), DAMAGED)
def test_a_bad_file_does_not_stop_the_run(shop: Shop, table: dict[str, Any], bad: bytes | str) -> None:
    if isinstance(bad, str):
        content = shop.put_parquet("1", bad).read_bytes()
        header = b"\xff" if bad == PARQUET_ROWS else content[4:5]
        table, bad = {**table, "format": "parquet"}, content[:4] + header + content[5:]
    query = "select 2 as id, 'b' as name" + (", null::timestamp as at" if "event_time" in table else "")
    text = b"id,name,at\n2,b,\n"
    shop.declare(items=table)
    shop.put("1", bad)
    if table["format"] == "parquet":
        shop.put_parquet("2", query)
    else:
        shop.put("2", book_of(sheet_of(["id", "name"], [2, "b"])) if table["format"] == "xlsx" else text)
    shop.run()
    assert state(shop)[0][1]["rows_loaded"] == 1


@pytest.mark.parametrize(
    ("table", "content"),
    [
        _case(
            "json_merge_patch recurses: SIGSEGV",
            LINES,
            lambda: b'{"id": 1, "x": ' + b"[" * 400_000 + b"]" * 400_000 + b"}",
        ),
        _case(
            "a workbook's rows and columns are held in full: out of memory",
            BOOK,
            lambda: _rewritten(
                SHEET_XML,
                b"</row></sheetData>",
                b'</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>',
            ),
        ),
    ],
)
def test_a_bad_file_does_not_kill_the_process(shop: Shop, table: dict[str, Any], content: Callable[[], bytes]) -> None:
    shop.declare(items=table)
    shop.put("1", content())
    shop.land()
    code = "import pickle, sys; from zhongtai.ingest import loader; loader.load_pending(*pickle.load(sys.stdin.buffer))"
    limit = (6 << 30, 6 << 30)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((shop.merchant, shop.contracts)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-500:]


@pytest.mark.parametrize(
    "name",
    [_case("a long stem", "茶" * 83), _case("a long ending: the log has it, and every run fails", "a." + "茶" * 84)],
)
def test_the_longest_name(make_shop: MakeShop, name: str) -> None:
    assert set(together(make_shop, CSV, {name: b"id,name\n1,a\n"}).values()) == {(1, 1, 0)}


def test_a_moved_file_is_no_news(shop: Shop) -> None:
    shop.declare(items={**CSV, "load_mode": "upsert"})
    first = shop.put("1", "id,name\n1,old\n")
    shop.put("2", "id,name\n1,new\n")
    shop.land()
    (shop.incoming / "done").mkdir()
    first.rename(shop.incoming / "done" / "1")
    assert shop.land() == []


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_content_that_no_longer_holds_is_news(shop: Shop, mode: str) -> None:
    """The file of one place was put in the other by mistake; or a value goes back to what it was."""
    shop.declare(items={**CSV, "load_mode": mode})
    for name, row in (("1", "1,a"), ("1" if mode == "append" else "2", "1,b"), ("3", "1,a")):
        shop.put(name, f"id,name\n{row}\n")
        shop.land()
    assert landing.position(shop.merchant) == 3


def test_a_corrected_picture_takes_the_place_of_the_first(shop: Shop) -> None:
    shop.declare(items={**DAY, "load_mode": "snapshot", "key": ["at", "id"]})
    for rows in ("1,a,2024-01-01\n2,b,2024-01-01\n", "1,c,2024-01-01\n"):
        shop.put("1", "id,name,at\n" + rows)
        shop.run()
    with duckdb.connect() as warehouse:
        create_raw_views(warehouse, shop.merchant, shop.contracts, [])
        assert warehouse.execute("select id, name from raw_shop.items").fetchall() == [(1, "c")]


MONEY: dict[str, Any] = {"id": {"data_type": "bigint"}, "name": {"data_type": "decimal(18,2)"}}


@pytest.mark.parametrize(
    ("table", "text", "loaded"),
    [
        _case("read_text keeps the byte order mark", DOCUMENTS, '\ufeff[{"id": 1}]', [(1, None)]),
        _case(
            "the path is escaped",
            {**DOCUMENTS, "records": "数据.列表"},
            '{"数据": {"列表": [{"id": 1}]}}',
            [(1, None)],
        ),
        _case(
            "what macOS packs beside the file", CSV, zipped(**{"x": "id,name\n1,a\n", "__MACOSX/._x": "?"}), [(1, "a")]
        ),
        _case(
            "more than 15 digits are lost",
            {**LINES, "columns": MONEY},
            '{"id": 1, "name": 1234567890123456.78}',
            [(1, Decimal("1234567890123456.78"))],
        ),
        _case("1.10 is 1.1", LINES, '{"id": 1, "name": 1.10}', [(1, "1.10")]),
    ],
)
def test_values_stay_as_they_stand(shop: Shop, table: dict[str, Any], text: bytes | str, loaded: list[Any]) -> None:
    shop.declare(items=table)
    shop.put("1", text)
    shop.run()
    assert shop.counts() == [(1, 1, 0, 0, 0)] and shop.raw("items", "id, name") == loaded


@pytest.mark.parametrize(
    ("table", "content"),
    [
        _case("the header stands behind a mark and a blank line", CSV, "\ufeff\nid,name\n1,a\n"),
        _case("the header stands behind a blank line", CSV, "\nid,name\n1,a\n"),
        _case("spaces are no value", BOOK, book_of(sheet_of(["id", "name"], [1, "a"], [" "]))),
    ],
)
def test_nothing_is_no_row(shop: Shop, table: dict[str, Any], content: bytes | str) -> None:
    shop.declare(items=table)
    shop.put("1", content)
    shop.run()
    assert shop.counts() == [(1, 1, 0, 0, 0)]


def test_the_row_number_survives_a_column_of_the_same_name_in_capitals(shop: Shop) -> None:
    shop.declare(items=PARQUET)
    shop.put_parquet("1", "select range as id, 'a' as name, 99 as FILE_ROW_NUMBER from range(2)")
    shop.run()
    assert shop.raw("items", "_row_number") == [(1,), (2,)]
