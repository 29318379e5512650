"""A column that the silo calls otherwise from a day on: by the suggested contract, files of both names load."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import yaml

from tests.unit.ingest.conftest import Shop
from zhongtai.erasure.rewrite import Changes, rewrite
from zhongtai.errors import UsageError
from zhongtai.ingest import drift, exported, originals, quarantine, replay

COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"data_type": "bigint"},
    "offer_type": {"data_type": "string", "allowed": ["none", "coupon"], "nullable": False},
    "amount": {"data_type": "decimal(18,2)"},
}
ITEMS: dict[str, Any] = {"file": "items_*", "load_mode": "append", "key": ["id"], "columns": COLUMNS}
FORMS = ["csv", "jsonl", "json", "xlsx", "parquet"]


def _file(form: str, *records: dict[str, Any]) -> bytes:
    names = list(records[0])
    sink = io.BytesIO()
    if form == "csv":
        lines = [names, *([str(value) for value in record.values()] for record in records)]
        return "".join(",".join(line) + "\n" for line in lines).encode()
    if form == "jsonl":
        return "".join(json.dumps(record) + "\n" for record in records).encode()
    if form == "json":
        return json.dumps(list(records)).encode()
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(list(records)), sink)
        return sink.getvalue()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([["A title"], names, *(list(record.values()) for record in records)]):
            sheet.write_row(number, 0, row)
    return sink.getvalue()


def _renamed(suggestion: str) -> dict[str, dict[str, Any]]:
    """The columns with what the suggested line adds."""
    ((line,),) = [yaml.safe_load(suggestion)]
    return {**COLUMNS, line["name"]: {**COLUMNS[line["name"]], **line["config"]["meta"]}}


@pytest.mark.parametrize("form", FORMS)
def test_the_suggested_contract_loads_the_files_of_both_names(shop: Shop, form: str) -> None:
    shop.declare(items={**ITEMS, "format": form})
    shop.put(f"items_1.{form}", _file(form, {"id": 1, "offer_type": "none", "amount": 1.5}))
    shop.put(f"items_2.{form}", _file(form, {"offer_kind": "coupon", "id": 2, "amount": 2.5}))
    shop.run()
    assert [row[0] for row in shop.raw("items", "id")] == [1]
    (found,) = drift.check(shop.merchant, shop.contracts, datetime.now(UTC))
    assert (found.kind, found.needs_change) == ("renamed", True)

    shop.declare(items={**ITEMS, "format": form, "columns": _renamed(found.suggestion)})
    shop.run()
    assert [(row[0], row[1], str(row[2])) for row in shop.raw("items", "id, offer_type, amount")] == [
        (1, "none", "1.50"),
        (2, "coupon", "2.50"),
    ]
    assert shop.raw("items", "_extra") == [(None,), (None,)]
    assert shop.counts() == [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0)]
    assert drift.check(shop.merchant, shop.contracts, datetime.now(UTC)) == []


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_a_renamed_column_that_records_may_leave_out_rejects_its_file_alone(shop: Shop, form: str) -> None:
    """Also among files that are loaded together; the contract that the message suggests loads it."""
    shop.declare(items={**ITEMS, "format": form})
    shop.put(f"items_1.{form}", _file(form, {"id": 1, "offer_type": "none", "amount": 1.5, "new": True}))
    shop.put(f"items_2.{form}", _file(form, {"id": 2, "offer_type": "none", "net_amount": 2.5}))
    shop.put(f"items_3.{form}", _file(form, {"id": 3, "offer_type": "none", "new": True}))
    first, second, third = shop.run()
    assert [load.status for load in (first, second, third)] == ["loaded", "quarantined", "loaded"]
    assert shop.counts() == [(1, 1, 0, 0, 0), (1, 0, 1, 0, 0), (1, 1, 0, 0, 0)]
    assert list(quarantine.degraded(shop.merchant)) == [("shop", "items")]
    line = str(second.reason).partition(" now: ")[2]
    assert line == "- {name: amount, config: {meta: {source_name: net_amount, also_named: [amount]}}}"

    shop.declare(items={**ITEMS, "format": form, "columns": _renamed(line)})
    result = replay.reload(shop.merchant, shop.contracts, shop.contracts[0])
    assert (result.files, any(result.rejected)) == (3, False)
    assert shop.raw("items", "id, cast(amount as varchar)") == [(1, "1.50"), (2, "2.50"), (3, None)]
    assert shop.counts() == [(1, 1, 0, 0, 0)] * 3


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_a_field_that_is_a_column_of_its_own_is_told_by_the_contract(shop: Shop, form: str) -> None:
    shop.declare(items={**ITEMS, "format": form})
    shop.put(f"items_1.{form}", _file(form, {"id": 2, "offer_type": "none", "net_amount": 2.5}))
    assert shop.run()[0].status == "quarantined"
    columns = {**COLUMNS, "net_amount": {"data_type": "decimal(18,2)"}}
    shop.declare(items={**ITEMS, "format": form, "columns": columns})
    shop.run()
    assert shop.raw("items", "amount, cast(net_amount as varchar)") == [(None, "2.50")]


@pytest.mark.parametrize("form", FORMS)
def test_rejected_rows_of_the_other_name_are_exported_under_the_contracts(shop: Shop, form: str) -> None:
    columns = {**COLUMNS, "offer_type": {**COLUMNS["offer_type"], "also_named": ["offer_kind"]}}
    shop.declare(items={**ITEMS, "format": form, "columns": columns})
    shop.put(f"items_1.{form}", _file(form, {"offer_kind": "gift", "id": 7, "amount": 1.5}))
    shop.run()
    (file,) = (shop.merchant.landing / "shop" / "items").iterdir()
    (record,) = originals.originals(shop.contracts[0], file, [1])
    assert exported.record_values(shop.contracts[0], record) == (["7", "gift", "1.5"], None)
    assert [finding.kind for finding in drift.check(shop.merchant, shop.contracts, datetime.now(UTC))] == [
        "not_allowed"
    ]


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_under_both_names_the_contracts_own_counts(shop: Shop, form: str) -> None:
    columns = {**COLUMNS, "offer_type": {**COLUMNS["offer_type"], "also_named": ["offer_kind"]}}
    shop.declare(items={**ITEMS, "format": form, "columns": columns})
    shop.put(f"items_1.{form}", _file(form, {"offer_kind": "old", "id": 1, "amount": 1.5, "offer_type": "none"}))
    shop.run()
    assert shop.raw("items", "offer_type, _extra ->> 'offer_kind'") == [("none", "old")]


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_a_record_with_both_names_is_rejected(shop: Shop, form: str) -> None:
    """Record by record nobody knows which of them counts, and none of the two may be lost."""
    columns = {**COLUMNS, "offer_type": {**COLUMNS["offer_type"], "also_named": ["offer_kind", "kind"]}}
    shop.declare(items={**ITEMS, "format": form, "columns": columns})
    both = {"id": 1, "offer_type": "none", "amount": 1.5, "offer_kind": "coupon"}
    others = {"id": 2, "kind": "none", "amount": 1.5, "offer_kind": "coupon"}
    shop.put(f"items_1.{form}", _file(form, both, others, {"id": 3, "kind": "none", "amount": 0.1}))
    shop.run()
    assert shop.raw("items", "id, offer_type, cast(amount as varchar)") == [(3, "none", "0.10")]
    assert [row["faults"][0]["reason"] for row in shop.rejected("items")] == ["structure", "structure"]


def test_two_of_the_other_names_reject_the_file(shop: Shop) -> None:
    columns = {**COLUMNS, "offer_type": {**COLUMNS["offer_type"], "also_named": ["offer_kind", "kind"]}}
    shop.declare(items={**ITEMS, "format": "csv", "columns": columns})
    shop.put("items_1.csv", "id,kind,offer_kind,amount\n1,none,coupon,1\n")
    assert shop.run()[0].reason == "column 'offer_type' is there twice; the file has: id, kind, offer_kind, amount"


def test_a_person_named_under_another_name_is_emptied(shop: Shop) -> None:
    columns = {"id": {"data_type": "string"}, "by": {"data_type": "string", "also_named": ["inviter"]}}
    shop.declare(people={**ITEMS, "format": "parquet", "columns": columns})
    source, target = shop.folder / "source", shop.folder / "target"
    source.write_bytes(_file("parquet", {"inviter": "u1", "id": "a"}, {"inviter": "u2", "id": "b"}))
    rewrite(source, target, [(shop.contracts[0], Changes(blanked={2: [("by", "u2")]}))], shop.folder)
    assert pq.read_table(target).to_pylist() == [{"inviter": "u1", "id": "a"}, {"inviter": None, "id": "b"}]


def test_a_name_belongs_to_one_column(shop: Shop) -> None:
    with pytest.raises(UsageError, match="also_named 'amount', which is a name of another column too"):
        shop.declare(
            items={**ITEMS, "columns": {**COLUMNS, "offer_type": {"data_type": "string", "also_named": ["amount"]}}}
        )


def test_contracts_without_other_names_load_nothing_again(shop: Shop) -> None:
    before = shop.contracts[0].hash
    shop.declare(orders={**Shop.ORDERS, "columns": {**Shop.ORDERS["columns"], "buyer": _also("purchaser")}})
    assert shop.contracts[0].hash != before == "0de5e3570189dac3"


def _also(name: str) -> dict[str, Any]:
    return {**Shop.ORDERS["columns"]["buyer"], "also_named": [name]}
