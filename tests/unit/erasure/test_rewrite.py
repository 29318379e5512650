"""Files written again without a record: every form, packing and encoding; all else byte by byte."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from tests.unit.ingest.conftest import Shop
from zhongtai.erasure import json_document
from zhongtai.erasure.rewrite import Changes, rewrite
from zhongtai.ingest.contract import Contract

TABLE: dict[str, Any] = {
    "load_mode": "append",
    "key": ["id"],
    "columns": {"id": {"data_type": "string"}, "by": {"data_type": "string", "personal_data": "identifier"}},
}


def contract(shop: Shop, **meta: Any) -> Contract:
    shop.declare(people={**TABLE, **meta})
    return shop.contracts[0]


def rewritten(shop: Shop, declared: Contract, content: bytes, changes: Changes) -> bytes:
    source, target = shop.folder / "source", shop.folder / "target"
    source.write_bytes(content)
    rewrite(source, target, [(declared, changes)], shop.folder)
    return target.read_bytes()


TEXT = 'id,by\r\n1,"a\r\nb"\r\n\r\n2,张三\r\n3,c\r\n'
LEFT = {
    1: "id,by\r\n2,张三\r\n3,c\r\n",
    2: 'id,by\r\n1,"a\r\nb"\r\n\r\n3,c\r\n',
    3: 'id,by\r\n1,"a\r\nb"\r\n\r\n2,张三\r\n',
}


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_csv_keeps_encoding_header_and_line_ends(shop: Shop, encoding: str, number: int) -> None:
    declared = contract(shop, file="*.csv", encoding=encoding)
    left = rewritten(shop, declared, TEXT.encode(encoding), Changes(dropped={number}))
    assert left == LEFT[number].encode(encoding)


@pytest.mark.parametrize(("mark", "encoding"), [(b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16-be")])
def test_byte_order_marks_stay(shop: Shop, mark: bytes, encoding: str) -> None:
    declared = contract(shop, file="*.csv", encoding="utf-8-sig" if encoding == "utf-8" else "utf-16")
    text = '"id","by"\n1,a\n2,b\n'
    left = rewritten(shop, declared, mark + text.encode(encoding), Changes(dropped={1}))
    assert left == mark + '"id","by"\n2,b\n'.encode(encoding)


def test_lines_that_end_in_a_carriage_return_alone(shop: Shop) -> None:
    declared = contract(shop, file="*.csv")
    assert rewritten(shop, declared, b"id,by\r1,a\r2,b\r3,c", Changes(dropped={1, 3})) == b"id,by\r2,b\r"


def test_archives_stay_what_they_are(shop: Shop) -> None:
    declared = contract(shop, file="*.csv")
    packed = rewritten(shop, declared, gzip.compress(TEXT.encode()), Changes(dropped={1}))
    assert gzip.decompress(packed) == LEFT[1].encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("people.csv", TEXT)
        archive.writestr("__MACOSX/people.csv", "notes")
    packed = rewritten(shop, declared, buffer.getvalue(), Changes(dropped={1}))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["people.csv"]
        assert archive.read("people.csv") == LEFT[1].encode()


def test_json_lines(shop: Shop) -> None:
    declared = contract(shop, file="*.jsonl", format="jsonl")
    content = b'{"id":1}\n\n  {"id": 2.50, "by": "U1"}\r\n{"id":3}'
    assert rewritten(shop, declared, content, Changes(dropped={1, 3})) == b'\n  {"id": 2.50, "by": "U1"}\r\n'
    blanked = rewritten(shop, declared, content, Changes(blanked={2: [("by", "U1")]}))
    assert blanked == content.replace(b'"U1"', b"null")
    assert rewritten(shop, declared, b'{"id":1}\n', Changes(dropped={1})) == b"\n", "still a file of records"


@pytest.mark.parametrize(
    ("text", "path", "dropped", "left"),
    [
        ('[1, [2, 3], {"a": 1.50}]', "", {2}, '[1, {"a": 1.50}]'),
        ("[1]", "", {1}, "[]"),
        ("[]\n", "", set(), "[]\n"),
        (
            '{"d": {"x": [9], "l": [ {"a":"]"} , 2.0, 3 ]}, "n": 1}',
            "d.l",
            {1},
            '{"d": {"x": [9], "l": [ 2.0 , 3 ]}, "n": 1}',
        ),
        ('\ufeff{"l":[1],"l":[1,2]}', "l", {2}, '\ufeff{"l":[1],"l":[1]}'),
        ("[12345678901234567890, 1e400]", "", {2}, "[12345678901234567890]"),
    ],
)
def test_json_documents(text: str, path: str, dropped: set[int], left: str) -> None:
    assert json_document.without(text, path, dropped) == left


def test_parquet_keeps_its_schema(shop: Shop) -> None:
    declared = contract(shop, file="*.parquet")
    table = pa.table({"id": ["1", "2", "3"], "by": ["a", "b", "a"], "x": pa.array([1, 2, 3], pa.int8())})
    table = table.replace_schema_metadata({"who": "silo"})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=2, compression="zstd")
    left = rewritten(shop, declared, buffer.getvalue(), Changes(dropped={2}, blanked={3: [("by", "a")]}))
    found = pq.ParquetFile(io.BytesIO(left))
    assert found.schema_arrow.equals(table.schema)
    assert found.schema_arrow.metadata[b"who"] == b"silo"
    assert found.metadata.row_group(0).column(0).compression == "ZSTD"
    assert found.read().to_pylist() == [{"id": "1", "by": "a", "x": 1}, {"id": "3", "by": None, "x": 3}]


def test_a_workbook_keeps_its_other_rows_and_sheets(shop: Shop, tmp_path: Path) -> None:
    declared = contract(shop, file="*.xlsx", format="xlsx", sheet="people")
    source = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(source)) as book:
        for name in ("people", "other"):
            sheet = book.add_worksheet(name)
            for row, values in enumerate([("id", "by"), ("1", "secret-name"), ("2", "b"), ("3", "U1")]):
                sheet.write_row(row, 0, values)
    changes = Changes(dropped={1}, blanked={3: [("by", "U1")]}, lines={1: 2, 2: 3, 3: 4})
    left = rewritten(shop, declared, source.read_bytes(), changes)
    with CalamineWorkbook.from_filelike(io.BytesIO(left)) as found:
        assert found.get_sheet_by_name("people").to_python() == [["id", "by"], ["", ""], ["2", "b"], ["3", ""]]
        assert len(found.get_sheet_by_name("other").to_python()) == 4
    both = [(declared, changes), (declared.model_copy(update={"sheet": "other"}), Changes(dropped={1}, lines={1: 2}))]
    rewrite(source, tmp_path / "left.xlsx", both, tmp_path)
    with zipfile.ZipFile(tmp_path / "left.xlsx") as archive:
        assert not any(b"secret-name" in archive.read(member) for member in archive.namelist())
