"""Files as a whole: columns by name, extra and missing ones, encodings, and files that cannot be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from zhongtai.errors import UsageError

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "file": "items*",
    "format": "csv",
    "load_mode": "append",
    "key": ["id"],
    "columns": {"id": {"data_type": "bigint"}, "name": {"data_type": "string", "source_name": "商品 名"}},
}


@pytest.fixture
def items(shop: Shop) -> Shop:
    shop.declare(items=ITEMS)
    return shop


def test_headers_are_matched_by_name_and_extra_columns_kept(items: Shop) -> None:
    items.put("items_1.csv", '\ufeffcolour, 商品 名 ,"odd ""one""",id\nred,茶,x,1\n,水,,2\n')
    items.put("items_2.csv", "id,商品 名\n3,酒\n")
    items.run()
    rows = [(row[0], row[1], row[2] and json.loads(row[2])) for row in items.raw("items", "id, name, _extra")]
    assert rows == [
        (1, "茶", {"colour": "red", 'odd "one"': "x"}),
        (2, "水", {"colour": None, 'odd "one"': None}),
        (3, "酒", None),
    ]


def test_a_missing_column_quarantines_the_file_and_the_run_goes_on(items: Shop) -> None:
    items.put("items_1.csv", "id,title\n1,a\n2,b\n")
    items.put("items_2.csv", "id,商品 名\n1,a\n")
    first, second = items.run()
    assert (first.status, first.rows_read, first.rows_quarantined) == ("quarantined", 2, 2)
    assert first.reason == "column '商品 名' is missing; the file has: id, title"
    assert first.adds_up
    assert second.rows_loaded == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        ("id,商品 名\n1,茶\n".encode("gb18030"), "not readable as utf-8"),
        (b"id,id,\xe5\x95\x86\xe5\x93\x81 \xe5\x90\x8d\n1,2,a\n", "column 'id' is there twice"),
        (b'"id\n1,2\n', "header cannot be read"),
    ],
)
def test_an_unreadable_csv_is_quarantined_whole(items: Shop, content: bytes, reason: str) -> None:
    items.put("items_1.csv", content)
    (load,) = items.run()
    assert load.status == "quarantined" and load.reason is not None and reason in load.reason
    assert load.adds_up and load.rows_loaded == 0


def test_a_header_alone_is_a_file_without_rows(items: Shop) -> None:
    items.put("items_1.csv", "id,商品 名\n")
    (load,) = items.run()
    assert (load.status, items.counts()) == ("loaded", [(0, 0, 0, 0, 0)])


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "latin-1"])
def test_other_encodings_and_delimiters(shop: Shop, encoding: str) -> None:
    name = "café" if encoding == "latin-1" else "茶叶"
    shop.declare(
        items={
            **ITEMS,
            "encoding": encoding,
            "delimiter": ";",
            "quote": "'",
            "columns": {"id": {"data_type": "bigint"}, "name": {"data_type": "string"}},
        }
    )
    shop.put("items.csv", f"id;name\n1;'{name};'\n".encode(encoding))
    shop.run()
    assert shop.raw("items", "name") == [(f"{name};",)]


def test_an_unknown_encoding_is_the_contracts_fault(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "encoding": "klingon"})
    shop.put("items.csv", "id\n1\n")
    with pytest.raises(UsageError, match=r"shop\.yml: shop\.items: encoding: 'klingon'"):
        shop.run()


@pytest.mark.parametrize("damage", ["footer", "middle", "not_parquet", "empty"])
def test_a_damaged_parquet_is_quarantined_whole(shop: Shop, damage: str) -> None:
    columns = {"id": {"data_type": "bigint"}, "name": {"data_type": "string"}}
    shop.declare(items={**ITEMS, "format": "parquet", "columns": columns})
    query = "select range as id, md5(range::varchar) as name from range(5000)"
    file = shop.put_parquet("items_1.parquet", query)
    content = bytearray(file.read_bytes())
    if damage == "middle":
        content[200:60_000] = b"\xff" * 59_800
    damaged = {"footer": content[:-4], "middle": content, "not_parquet": b"id,name\n1,a\n", "empty": b""}[damage]
    shop.put("items_1.parquet", bytes(damaged))
    shop.put_parquet("items_2.parquet", query)

    first, second = shop.run()

    assert first.status == "quarantined" and first.reason
    assert first.rows_read == first.rows_quarantined == (5000 if damage == "middle" else 0)
    assert second.rows_loaded == 5000
    assert len(shop.raw("items")) == 5000


def test_a_parquet_file_with_a_missing_column_counts_its_rows(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "format": "parquet"})
    shop.put_parquet("items.parquet", "select range as id from range(7)")
    (load,) = shop.run()
    assert (load.status, load.rows_read, load.rows_quarantined) == ("quarantined", 7, 7)


def test_the_row_number_survives_a_column_of_the_same_name(shop: Shop) -> None:
    columns = {"id": {"data_type": "bigint"}}
    shop.declare(items={**ITEMS, "format": "parquet", "columns": columns})
    shop.put_parquet("items.parquet", "select range + 10 as id, 99 as file_row_number from range(3)")
    shop.run()
    assert shop.raw("items", "id, _row_number") == [(10, 1), (11, 2), (12, 3)]


def test_hostile_names_and_values(shop: Shop) -> None:
    evil = """x'; drop table accepted; --"*[a]?"""
    shop.declare(
        items={
            **ITEMS,
            "key": ['i"d'],
            "columns": {'i"d': {"data_type": "bigint"}, "select": {"data_type": "string", "source_name": evil}},
        }
    )
    quoted = '"' + evil.replace('"', '""') + '"'
    shop.put(f"items {evil}.csv", f'"i""d",{quoted},{quoted[:-1]}2"\n1,{quoted},{quoted}\nbad,{quoted},{quoted}\n')
    shop.put("items b.csv", f'"i""d",{quoted}\n1,other\n')
    first, second = shop.run()
    assert (first.rows_loaded, first.rows_quarantined, second.rows_quarantined) == (1, 1, 1)
    assert shop.raw("items", '"select"') == [(evil,)]
    assert f"items {evil}.csv row 1" in shop.rejected("items")[1]["message"]


@pytest.mark.parametrize("with_line_end", [False, True])
def test_a_field_of_a_million_characters(items: Shop, with_line_end: bool) -> None:
    long = "茶" * 1_000_000 + ("\n" if with_line_end else "") + "end"
    items.put("items.csv", f'id,商品 名\n1,"{long}"\nx,"{long}"\n3,short\n')
    items.run()
    assert items.counts() == [(3, 2, 1, 0, 0)]
    assert items.raw("items", "name")[0] == (long,)
    assert len(items.rejected("items")[0]["message"]) < 200
