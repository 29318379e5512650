"""Text files of every encoding and line end become UTF-8 that the fast reader can prove."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from zhongtai.errors import UsageError
from zhongtai.ingest.unpack import plain_text

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "file": "items*",
    "format": "csv",
    "load_mode": "append",
    "key": ["id"],
    "columns": {"id": {"data_type": "bigint"}, "name": {"data_type": "string"}},
}
TEXT = "id,name\n1,茶\n2,b\n"


@pytest.mark.parametrize("encoding", ["hex", "rot13", "base64", "zlib", "utf-7", "idna", "unicode_escape", "undefined"])
def test_only_encodings_of_text_files_are_known(shop: Shop, encoding: str) -> None:
    shop.declare(items={**ITEMS, "encoding": encoding})
    shop.put("items.csv", TEXT)
    with pytest.raises(UsageError, match=rf"shop\.yml: shop\.items: encoding: '{encoding}' is not known"):
        shop.run()


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace("\n", "\r").encode("utf-16-be"),
    ],
    ids=["marked", "little", "big", "big marked", "big returns"],
)
def test_utf_16_of_either_byte_order(shop: Shop, content: bytes) -> None:
    shop.declare(items={**ITEMS, "encoding": "utf-16"})
    shop.put("items.csv", content)
    shop.run()
    assert shop.raw("items", "id, name, _row_number") == [(1, "茶", 1), (2, "b", 2)]


@pytest.mark.parametrize(
    ("text", "lines", "is_regular"),
    [
        ("id,name\r1,a\r2,b\r", 3, True),
        ("id,name\r1,a\r2,b", 3, True),
        ("id,name\r\n1,a\r\n", 2, True),
        ('id,name\r1,"a\rb"\r', 1, False),  # a return may stand in a value
        ("id,name\r1,a\n2,b\r", 2, False),
        ("\nid,name\n1,a\n", 4, True),  # one more than there are
        ("\ufeff \r\nid,name\n", 3, True),
    ],
)
def test_lines_are_counted_as_the_fast_reader_sees_them(
    shop: Shop, tmp_path: Path, text: str, lines: int, is_regular: bool
) -> None:
    shop.declare(items=ITEMS)
    file = tmp_path / "items.csv"
    file.write_bytes(text.encode())
    plain = plain_text(shop.contracts[0], file, tmp_path / "plain")
    assert (plain.lines, plain.is_regular) == (lines, is_regular)


def test_line_numbers_stay_right_where_lines_end_in_returns(shop: Shop) -> None:
    shop.declare(items=ITEMS)
    shop.put("items.csv", "id,name\r1,a\r\rx,b\r3\r")
    shop.run()
    assert shop.counts() == [(3, 1, 2, 0, 0)]
    assert [(row["row_number"], row["line_number"]) for row in shop.rejected("items")] == [(2, 4), (3, 5)]


@pytest.mark.parametrize("start", ["\n", "\ufeff\n", "\r\n\r\n", " \n"])
def test_line_numbers_stay_right_behind_blank_lines(shop: Shop, start: str) -> None:
    shop.declare(items=ITEMS)
    shop.put("items.csv", f"{start}id,name\n1,a\nx,b\n")
    shop.run()
    assert shop.counts() == [(2, 1, 1, 0, 0)]
    assert shop.rejected("items")[0]["line_number"] == start.count("\n") + 3
