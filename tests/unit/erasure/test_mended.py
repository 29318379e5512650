"""Rows that were mended, and exports that wait, when a person is erased from the file that they stand in."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.unit.erasure.conftest import TABLES, forget
from tests.unit.ingest.conftest import Shop
from zhongtai.errors import UsageError
from zhongtai.ingest import exported, landing, ledger, quarantine, replay

NAMES = ("id", "buyer", "amount")
# Wrong are 2, 4, 5 and 6; before and between them stand the rows of who is erased.
ROWS = [
    ("1", "buyer-ann", "1"),
    ("2", "buyer-bob", "wrong"),
    ("3", "buyer-ann", "3"),
    ("4", "buyer-ann", "wrong"),
    ("5", "buyer-cy", "wrong"),
    ("6", "buyer-dan", "wrong"),
]
ITEMS: dict[str, Any] = {
    "load_mode": "append",
    "key": ["id"],
    "columns": {
        "id": {"data_type": "string"},
        "buyer": {"data_type": "string", "personal_data": "identifier"},
        "amount": {"data_type": "integer"},
    },
}
ANN = ("shop", "buyer-ann")


def _content(form: str) -> bytes:
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    if form == "csv":
        return "".join(",".join(row) + "\n" for row in (NAMES, *ROWS)).encode()
    if form == "jsonl":
        return "".join(json.dumps(record) + "\n" for record in records).encode()
    if form == "json":
        return json.dumps({"data": records}).encode()
    sink = io.BytesIO()
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(records), sink)
        return sink.getvalue()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("items")
        for number, row in enumerate((NAMES, *ROWS)):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def _shop(shop: Shop, form: str) -> None:
    more = {"json": {"records": "data"}, "xlsx": {"sheet": "items"}}.get(form, {})
    shop.declare(items={**ITEMS, "file": "items*", "format": form, **more})
    shop.put(f"items.{form}", _content(form))
    shop.run()
    assert shop.counts() == [(6, 2, 4, 0, 0)]


def _replay(shop: Shop, file: Path, amounts: dict[str, str]) -> replay.Replayed:
    """Exports what waits, gives these rows amounts, and replays it."""
    exported.export(shop.merchant, shop.contracts[0], file)
    lines = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows({**line, "amount": amounts.get(line["id"], line["amount"])} for line in lines)
    return replay.replay(shop.merchant, shop.contracts, shop.contracts[0], file)


def _waiting(shop: Shop) -> list[str]:
    """The ids of the rows that wait, as an export tells them."""
    file = shop.incoming.parent / "waiting.csv"
    exported.export(shop.merchant, shop.contracts[0], file)
    found = [line["id"] for line in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""))]
    file.unlink()
    return found


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet", "xlsx"])
def test_what_was_mended_stays_mended_and_what_waits_waits(shop: Shop, tmp_path: Path, form: str) -> None:
    _shop(shop, form)
    _replay(shop, tmp_path / "first.csv", {"2": "20", "4": "40", "6": "60"})
    assert _waiting(shop) == ["5"]
    assert landing.read_log(shop.merchant)[-1].mends == {1: "2,4,6"}

    forget(shop, ANN)
    # 2, 5 and 6 are left of the first file, in rows 1, 2 and 3.
    assert landing.read_log(shop.merchant)[-1].mends == {1: "1,3"}
    assert _waiting(shop) == ["5"]
    assert sorted(shop.raw("items", "id, amount")) == [("2", 20), ("6", 60)]
    loads = ledger.read(shop.merchant)
    assert [(load.rows_read, load.rows_loaded, load.rows_quarantined, load.rows_erased) for load in loads] == [
        (6, 0, 3, 3),
        (3, 2, 0, 1),
    ]
    assert quarantine.list_quarantine(shop.merchant)[0].mended == 2

    # What is mended after the erasure is named by the numbers of after; the next erasure moves both.
    replayed = _replay(shop, tmp_path / "second.csv", {"5": "50"})
    assert replayed.load is not None
    assert [file.mends for file in landing.read_log(shop.merchant)] == [{}, {1: "1,3"}, {1: "2"}]
    forget(shop, ("shop", "buyer-bob"))
    assert [file.mends for file in landing.read_log(shop.merchant)] == [{}, {1: "2"}, {1: "1"}]
    assert _waiting(shop) == []
    assert sorted(shop.raw("items", "id, amount")) == [("5", 50), ("6", 60)]
    assert all(load.adds_up for load in ledger.read(shop.merchant))


def test_an_export_of_before_is_refused(shop: Shop, tmp_path: Path) -> None:
    _shop(shop, "csv")
    before = tmp_path / "before.csv"
    exported.export(shop.merchant, shop.contracts[0], before)
    before.write_text(before.read_text(encoding="utf-8-sig").replace("wrong", "7"), encoding="utf-8")
    forget(shop, ANN)
    with pytest.raises(UsageError, match="line 2: a person was erased from file 1 since this was exported"):
        replay.replay(shop.merchant, shop.contracts, shop.contracts[0], before)
    assert landing.position(shop.merchant) == 1
    after = _replay(shop, tmp_path / "after.csv", {"2": "2", "5": "5"})
    assert after.load is not None and after.unchanged == 1
    assert sorted(shop.raw("items", "id")) == [("2",), ("5",)]


def test_an_export_of_a_file_from_which_only_a_value_was_taken_is_refused_as_well(shop: Shop, tmp_path: Path) -> None:
    columns = {**ITEMS["columns"], "invited_by": {**ITEMS["columns"]["buyer"], "identity": "shop.buyer"}}
    columns["invited_by"]["of_another"] = True
    shop.declare(items={**ITEMS, "file": "items*", "columns": columns})
    shop.put("items_1.csv", "id,buyer,amount,invited_by\n1,buyer-bob,wrong,buyer-ann\n")
    shop.put("items_2.csv", "id,buyer,amount,invited_by\n2,buyer-ann,2,\n")
    shop.run()
    before = tmp_path / "before.csv"
    exported.export(shop.merchant, shop.contracts[0], before)
    assert "buyer-ann" in before.read_text(encoding="utf-8-sig")
    forget(shop, ANN)
    with pytest.raises(UsageError, match="a person was erased from file 1"):
        replay.replay(shop.merchant, shop.contracts, shop.contracts[0], before)


def test_a_file_that_is_emptied_is_counted_with_the_rows_that_it_had(people: Shop) -> None:
    people.put("users_2.csv", "id;phone\nuser-000001;13812345678\nuser-000004;13700000000\n")
    people.run()
    assert [load.rows_quarantined for load in ledger.read(people.merchant) if load.status == "quarantined"] == [2]
    forget(people, ("shop", "user-000001"))
    for _ in range(2):
        (load,) = [load for load in ledger.read(people.merchant) if load.status == "quarantined"]
        assert (load.rows_read, load.rows_quarantined, load.rows_erased, load.adds_up) == (2, 0, 2, True)
        columns = {**TABLES["users"]["columns"], "name": {"data_type": "string"}}
        people.declare(**{**TABLES, "users": {**TABLES["users"], "columns": columns}})
        people.run()  # the contract changed: every file of the table is loaded anew


@pytest.mark.parametrize(
    ("encoding", "cut"), [("utf-8", "buyer-bob"), ("gb18030", "buyer-bob"), ("utf-8", "buyer-ann")]
)
def test_json_lines_that_are_cut_within_a_character(shop: Shop, encoding: str, cut: str) -> None:
    """The broken line is exported, stays byte by byte where it is another's, and goes where it names the person."""
    shop.declare(items={**ITEMS, "file": "items*", "format": "jsonl", "encoding": encoding})
    lines = [
        json.dumps({"id": "茶1", "buyer": "buyer-ann", "amount": 1}, ensure_ascii=False) + "\n",
        json.dumps({"id": "茶2", "buyer": "buyer-cy", "amount": 2}, ensure_ascii=False) + "\n",
        '{"buyer": "' + cut + '", "id": "茶',
    ]
    parts = [line.encode(encoding) for line in lines]
    shop.put("items.jsonl", b"".join(parts)[:-1])
    shop.run()
    assert shop.counts() == [(3, 2, 1, 0, 0)]
    exported.export(shop.merchant, shop.contracts[0], shop.folder / "waiting.csv")
    assert lines[2][:-1] in (shop.folder / "waiting.csv").read_text(encoding="utf-8-sig").replace('""', '"')
    forget(shop, ANN)
    (file,) = (shop.merchant.landing / "shop" / "items").iterdir()
    assert file.read_bytes() == (parts[1] + parts[2][:-1] if cut == "buyer-bob" else parts[1])
    assert shop.raw("items", "id") == [("茶2",)]
    assert all(load.adds_up for load in ledger.read(shop.merchant))
