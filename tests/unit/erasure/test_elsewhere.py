"""A person whose phone or id stands where no class says so: in columns without one, or that no contract names."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import yaml

from tests.unit.erasure.conftest import PHONE, TABLES, TEXT, USERS, forget, landed, planned
from tests.unit.ingest.conftest import Shop
from zhongtai.erasure import erase, search
from zhongtai.erasure.search import Needles
from zhongtai.errors import UsageError
from zhongtai.ingest import ledger

ANN_ID = ("shop", "user-000001")
MOBILE = "13812345678"
PAY: dict[str, Any] = {
    "file": "pay*",
    "load_mode": "append",
    "key": ["pay_id"],
    "columns": {"pay_id": TEXT, "amount": {"data_type": "decimal(18,2)"}},
}


def with_pay(shop: Shop, **columns: dict[str, Any]) -> None:
    shop.declare(**{**TABLES, "pay": {**PAY, "columns": {**PAY["columns"], **columns}}})


def found(shop: Shop, done: erase.Plan) -> list[Path]:
    places = search.search(shop.merchant, Needles(done.needles), {})
    assert not any(place.unsearched for place in places)
    return [file for place in places for file in place.found]


def test_a_phone_in_a_column_that_no_contract_names_goes(people: Shop) -> None:
    with_pay(people)
    source = people.put("pay1.csv", f"pay_id,amount,note\n1,2.50,tel {MOBILE}\n2,3.00,+86 138-1234-5678 Ann\n3,4,x\n")
    people.run()
    assert [json.loads(extra)["note"] for (extra,) in people.raw("pay", "_extra")] == ["tel 0", "0 Ann", "x"]
    done = forget(people, phones=(MOBILE,))
    assert done.tables["shop", "pay"].blanked == 2
    assert done.tables["shop", "pay"].rows == 0
    assert landed(people, "pay") == [b"pay_id,amount,note\n1,2.50,tel \n2,3.00,+86  Ann\n3,4,x\n"]
    assert source in done.sources
    assert found(people, done) == []
    assert people.raw("pay", "pay_id, amount::varchar") == [("1", "2.50"), ("2", "3.00"), ("3", "4.00")]
    assert people.run() == []
    assert all(load.adds_up for load in ledger.read(people.merchant))


def test_a_phone_that_stands_only_there_goes_as_well(people: Shop) -> None:
    with_pay(people, remark=TEXT)
    people.put("pay1.csv", "pay_id,amount,remark\n1,2.50,13900001111\n2,3.00,ann.lee@example.com\n")
    people.run()
    done = forget(people, phones=("+86 139 0000 1111",), emails=("Ann.Lee@example.com",))
    assert done.identities == {"email": 1, "phone": 1}
    assert people.raw("pay", "pay_id, remark") == [("1", None), ("2", None)]
    assert found(people, done) == []
    with pytest.raises(UsageError, match="No landed record has the phone given"):
        forget(people, phones=("13900001111",))


def csv_file(rows: list[dict[str, Any]]) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def parquet_file(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def workbook(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("pay")
        sheet.write_row(0, 0, list(rows[0]))
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, list(row.values()))
    return sink.getvalue()


FORMS = {
    "csv": csv_file,
    "csv.gz": lambda rows: gzip.compress(csv_file(rows)),
    "jsonl": lambda rows: "".join(json.dumps(row) + "\n" for row in rows).encode(),
    "json": lambda rows: json.dumps({"list": rows}, ensure_ascii=False).encode(),
    "parquet": parquet_file,
    "xlsx": workbook,
}


@pytest.mark.parametrize("ending", FORMS)
def test_every_form_of_file_is_written_again_without_the_phone(people: Shop, ending: str) -> None:
    form = {"csv.gz": "csv"}.get(ending, ending)
    more = {"json": {"records": "list"}, "xlsx": {"sheet": "pay"}}.get(ending, {})
    columns = {"pay_id": TEXT, "remark": TEXT}
    people.declare(**TABLES, pay={**PAY, "columns": columns, "format": form, **more})
    rows = [
        {"pay_id": "a", "remark": f"电话{MOBILE}\n", "by": "-", "mobile": int(MOBILE)},
        {"pay_id": "b", "remark": "none", "by": f"86{MOBILE}", "mobile": 1},
        {"pay_id": "c", "remark": "of user-000001, {}", "by": "{}", "mobile": 2},
    ]
    people.put(f"pay1.{ending}", FORMS[ending](rows))
    people.run()
    assert MOBILE not in str(people.raw("pay", "_extra"))
    done = forget(people, ANN_ID)
    assert done.tables["shop", "pay"].blanked == 4
    assert found(people, done) == []
    shown = [tuple(str(value or "").strip() for value in row) for row in people.raw("pay", "pay_id, remark")]
    assert shown == [("a", "电话"), ("b", "none"), ("c", "of , {}")]
    assert [(load.rows_read, load.rows_loaded) for load in ledger.read(people.merchant) if load.table == "pay"] == [
        (3, 3)
    ]
    if ending == "xlsx":
        (file,) = people.merchant.landing.glob("shop/pay/*")
        assert [cell.value for cell in openpyxl.load_workbook(file)["pay"][3]] == ["b", "none", None, 1]


def test_a_name_of_json_that_is_the_phone_stays_json(people: Shop) -> None:
    people.declare(**TABLES, pay={**PAY, "format": "jsonl"})
    people.put("pay1.jsonl", f'{{"pay_id": "1", "amount": 2, "calls": {{"{MOBILE}": [{MOBILE}, "{MOBILE}"]}}}}\n')
    people.run()
    done = forget(people, ANN_ID)
    assert landed(people, "pay") == [b'{"pay_id": "1", "amount": 2, "calls": {"": [null, null]}}\n']
    assert found(people, done) == []


def test_an_id_in_a_column_without_a_class_is_named_with_what_to_do_and_goes_then(people: Shop) -> None:
    with_pay(people, payer=TEXT)
    source = people.put("pay1.csv", "pay_id,amount,payer\n1,2.50,user-000001\n2,3.00,user-000002\n")
    people.run()
    (doubt,) = planned(people, ANN_ID).doubtful
    assert (doubt.table, doubt.column, doubt.records) == ("shop.pay", "payer", 1)
    done = forget(people, ANN_ID)
    (doubt,) = done.doubtful
    (file,) = doubt.files
    assert file.name == "00000006_pay1.csv"
    assert source in done.sources
    assert file in found(people, done)

    # The line goes into the contract as it is, and the same command again succeeds.
    (line,) = yaml.safe_load(doubt.line)
    assert line == {
        "name": "payer",
        "data_type": "string",
        "config": {"meta": {"personal_data": "identifier", "identity": "shop.user_id"}},
    }
    with_pay(people, payer={"data_type": line["data_type"], **line["config"]["meta"]})
    people.run()
    again = forget(people, ANN_ID)
    assert (again.rows, again.doubtful) == (1, [])
    assert people.raw("pay", "pay_id") == [("2",)]
    assert found(people, again) == []


@pytest.mark.parametrize("way", ["class", "doubtful"])
def test_an_id_of_digits_in_words(people: Shop, way: str) -> None:
    with_pay(people, remark=TEXT)
    people.put("users_2.csv", USERS + "10012345,,,Dan,\n")
    people.put("pay1.csv", "pay_id,amount,remark,ref\n1,2.50,paid by 10012345,10012345\n2,3.00,10012345678,7\n")
    people.run()
    dan = ("shop", "10012345")
    done = forget(people, dan)
    assert done.tables.keys() == {("shop", "users")}
    assert [(one.column, yaml.safe_load(one.line)[0]["config"]["meta"]) for one in done.doubtful] == [
        ("ref", {"personal_data": "identifier", "identity": "shop.user_id"}),
        ("remark", {"personal_data": "attribute"}),
    ]
    assert len(found(people, done)) == 2, "landing and raw"
    if way == "class":
        user = {"data_type": "string", "personal_data": "identifier", "identity": "shop.user_id"}
        with_pay(people, remark={**TEXT, "personal_data": "attribute"}, ref=user)
        people.run()
        again = forget(people, dan)
        assert people.raw("pay", "pay_id") == [("2",)]
    else:
        again = forget(people, dan, also_doubtful=True)
        assert people.raw("pay", "pay_id, remark, _extra ->> 'ref'") == [
            ("1", "paid by", None),
            ("2", "10012345678", "7"),
        ]
    assert again.doubtful == []
    assert found(people, again) == []
    with pytest.raises(UsageError, match="No landed record has shop:10012345"):
        forget(people, dan)


def test_words_about_persons_lose_an_id_of_digits(people: Shop) -> None:
    with_pay(people, remark={**TEXT, "personal_data": "attribute"})
    people.put("users_2.csv", USERS + "10012345,,,Dan,\n")
    people.put("pay1.csv", "pay_id,amount,remark\n1,2.50,paid by 10012345\n")
    people.run()
    done = forget(people, ("shop", "10012345"))
    assert people.raw("pay", "remark") == [("paid by",)]
    assert (done.doubtful, found(people, done)) == ([], [])


def test_a_key_that_is_like_the_person_s_phone_stays_and_is_named(people: Shop) -> None:
    people.declare(**TABLES, pay={**PAY, "columns": {"pay_id": TEXT, "remark": TEXT}})
    people.put("pay1.csv", f"pay_id,remark\n{MOBILE},{MOBILE}\n2,{MOBILE}\n")
    people.run()
    done = forget(people, ANN_ID)
    assert [one.column for one in done.doubtful] == ["pay_id", "remark"]
    assert people.raw("pay", "pay_id, remark") == [(MOBILE, MOBILE), ("2", None)]
    people.declare(
        **TABLES, pay={**PAY, "columns": {"pay_id": {**TEXT, "personal_data": "identifier"}, "remark": PHONE}}
    )
    people.run()
    again = forget(people, ("shop", MOBILE))
    assert people.raw("pay", "pay_id") == [("2",)]
    assert found(people, again) == []


def test_the_same_characters_under_another_identity_stay(people: Shop) -> None:
    """An identity of its own is somebody else's, whom only who knows can name."""
    visitor = {"data_type": "string", "personal_data": "identifier"}
    with_pay(people, visitor_id=visitor)
    people.put("pay1.csv", "pay_id,amount,visitor_id\n1,2.50,contact-01\n")
    people.run()
    done = forget(people, ANN_ID, also_doubtful=True)
    assert [(one.column, one.line) for one in done.doubtful] == [("visitor_id", "")]
    assert people.raw("pay", "visitor_id") == [("contact-01",)]


def test_a_broken_line_and_a_broken_file_of_a_table_without_classes_go(people: Shop) -> None:
    people.declare(**TABLES, pay={**PAY, "format": "jsonl"})
    people.put("pay1.jsonl", f'{{"pay_id": "1", "amount": 2}}\n{{"pay_id": "2", "tel": "{MOBILE}\n')
    people.put("pay2.jsonl.gz", gzip.compress(f'{{"pay_id": "3", "tel": "{MOBILE}"}}\n'.encode() * 99)[:-20])
    people.run()
    assert MOBILE not in str(people.rejected("pay"))
    done = forget(people, phones=(MOBILE,))
    assert (done.tables["shop", "pay"].rows, done.tables["shop", "pay"].whole_files) == (1, 1)
    files = sorted((people.merchant.landing / "shop" / "pay").iterdir())
    assert [file.read_bytes() for file in files] == [b'{"pay_id": "1", "amount": 2}\n', b""]
    assert found(people, done) == []


def test_what_landed_of_a_table_without_a_contract_is_named(people: Shop) -> None:
    with_pay(people)
    people.put("pay1.csv", f"pay_id,amount,note\n1,2.50,{MOBILE}\n")
    people.run()
    people.declare(**TABLES)
    done = forget(people, ANN_ID)
    (file,) = done.unsearched
    assert file.name == "00000006_pay1.csv"
    again = forget(people, phones=(MOBILE,), also_doubtful=True)
    assert again.unsearched == []
    assert file.read_bytes() == b""


def test_a_sheet_that_no_contract_names_is_told_of(people: Shop) -> None:
    people.declare(**TABLES, pay={**PAY, "format": "xlsx", "sheet": "pay"})
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        for name, rows in (("pay", [("pay_id", "amount"), ("1", 2)]), ("people", [("tel",), (MOBILE,)])):
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    people.put("pay1.xlsx", sink.getvalue())
    people.run()
    done = forget(people, ANN_ID)
    (file,) = done.unsearched
    assert (file.name, found(people, done)) == ("00000006_pay1.xlsx", [file])
    again = forget(people, phones=(MOBILE,), also_doubtful=True)
    assert (again.rows, again.unsearched, found(people, again)) == (1, [], [])
    assert all(load.adds_up for load in ledger.read(people.merchant))


def test_a_value_that_parquet_does_not_let_be_empty(people: Shop) -> None:
    with_pay(people)
    people.declare(**TABLES, pay={**PAY, "format": "parquet", "columns": {"pay_id": TEXT}})
    fields = [("pay_id", pa.string()), ("tel", pa.int64()), ("note", pa.string())]
    schema = pa.schema([pa.field(name, kind, nullable=False) for name, kind in fields])
    sink = io.BytesIO()
    row = {"pay_id": "1", "tel": int(MOBILE), "note": MOBILE}
    pq.write_table(pa.Table.from_pylist([row], schema=schema), sink)
    people.put("pay1.parquet", sink.getvalue())
    people.run()
    done = forget(people, ANN_ID)
    assert found(people, done) == []
    assert people.raw("pay", "pay_id, _extra ->> 'tel', _extra ->> 'note'") == [("1", "0", "")]
