"""What differs between contracts and what last arrived, and what is suggested."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml

from zhongtai.ingest import drift, fitting, ledger

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

ITEMS: dict[str, Any] = {
    "file": "items*",
    "format": "csv",
    "load_mode": "append",
    "key": ["id"],
    "columns": {
        "id": {"data_type": "bigint"},
        "total_amount": {"data_type": "decimal(18,2)"},
        "status": {"data_type": "string", "allowed": ["open", "paid"]},
        "day": {"data_type": "date", "nullable": False},
    },
}


def _check(shop: Shop, content: str, **more: Any) -> list[tuple[str, str, str, bool]]:
    shop.declare(items={**ITEMS, **more})
    shop.put("items_0", "id,total_amount,status,day\n1,1,open,2024-05-01\n")
    shop.put("items_1", content)
    shop.run()
    found = drift.check(shop.merchant, shop.contracts, datetime.now(UTC))
    assert all(finding.table == "shop.items" for finding in found)
    return [(finding.kind, finding.message, finding.suggestion, finding.needs_change) for finding in found]


def test_what_is_as_the_contract_says_gives_nothing(shop: Shop) -> None:
    assert _check(shop, "id,total_amount,status,day\n2,1,paid,2024-05-01\n") == []


def test_a_new_column_is_told_with_its_type(shop: Shop) -> None:
    found = _check(shop, "id,total_amount,status,day,Ship To,code\n2,1,paid,2024-05-01,2024-05-03,007\n")
    assert found == [
        (
            "new",
            "items_1: column 'Ship To' is kept in _extra",
            "- {name: ship_to, data_type: date, config: {meta: {source_name: Ship To}}}",
            False,
        ),
        ("new", "items_1: column 'code' is kept in _extra", "- {name: code, data_type: string}", False),
    ]
    assert yaml.safe_load(found[0][2])[0]["config"] == {"meta": {"source_name": "Ship To"}}


@pytest.mark.parametrize(
    ("header", "column", "successor"),
    [
        ("id,TotalAmount,status,day", "total_amount", "TotalAmount"),
        ("id,gross,status,day", "total_amount", "gross"),  # the only one that is a number
        ("id,total_amount,zustand,day", "status", "zustand"),  # has the allowed values
    ],
)
def test_a_renamed_column_is_recognised(shop: Shop, header: str, column: str, successor: str) -> None:
    (found,) = _check(shop, header + "\n2,1.5,paid,2024-05-01\n")
    assert found == (
        "renamed",
        f"items_1: column '{column}' seems to be called '{successor}' now",
        f"- {{name: {column}, config: {{meta: {{source_name: {successor}, also_named: [{column}]}}}}}}",
        True,
    )


def test_a_rejected_file_tells_the_line_itself_and_as_long_as_it_waits(shop: Shop) -> None:
    """Also when good files came after it; not any more when the contract has the line."""
    shop.declare(items=ITEMS)
    shop.put("items_1", "id,gross,status,day\n2,1.5,paid,2024-05-01\n")
    shop.run()
    shop.put("items_2", "id,total_amount,status,day\n3,2.5,paid,2024-05-01\n")
    shop.run()
    line = "- {name: total_amount, config: {meta: {source_name: gross, also_named: [total_amount]}}}"
    rejected = ledger.read(shop.merchant)[0]
    assert rejected.rows_quarantined == 1
    there = "the file has: id, gross, status, day"
    assert rejected.reason == f"column 'total_amount' is missing; {there}; it seems to be called 'gross' now: {line}"
    (found,) = drift.check(shop.merchant, shop.contracts, datetime.now(UTC))
    assert (found.kind, found.suggestion, found.needs_change) == ("renamed", line, True)

    amount = {**ITEMS["columns"]["total_amount"], "source_name": "gross", "also_named": ["total_amount"]}
    shop.declare(items={**ITEMS, "columns": {**ITEMS["columns"], "total_amount": amount}})
    shop.run()
    assert [load.rows_loaded for load in ledger.read(shop.merchant)] == [1, 1]
    assert not drift.check(shop.merchant, shop.contracts, datetime.now(UTC))


def test_days_as_excel_counts_them_are_told(shop: Shop) -> None:
    (found,) = _check(shop, "id,total_amount,status,day\n2,1.5,paid,45351\n3,1.5,paid,45352\n")
    assert found[0] == "retyped"
    assert found[2] == '- {name: day, data_type: date, config: {meta: {formats: ["excel"]}}}'


def test_a_new_column_gets_no_name_that_is_taken(shop: Shop) -> None:
    (found,) = _check(shop, "id,total_amount,status,day,ID\n2,1.5,paid,2024-05-01,7\n")
    assert found[2] == "- {name: id_too, data_type: bigint, config: {meta: {source_name: ID}}}"


def test_a_column_that_is_gone_has_no_successor(shop: Shop) -> None:
    found = _check(shop, "id,status,day,note\n2,paid,2024-05-01,text\n")
    assert [(kind, message) for kind, message, _, _ in found] == [
        ("missing", "items_1: column 'total_amount' is missing"),
        ("new", "items_1: column 'note' is kept in _extra"),
    ]
    assert [needed for *_, needed in found] == [True, False]


def test_a_retyped_column_is_told_with_the_line_that_takes_it(shop: Shop) -> None:
    lines = "".join(f'{number},"1.234,50",paid,{number:02d}.05.2024\n' for number in range(2, 20))
    found = _check(shop, "id,total_amount,status,day\n" + lines)
    assert [(kind, suggestion, needed) for kind, _, suggestion, needed in found] == [
        ("retyped", '- {name: day, data_type: date, config: {meta: {formats: ["%d.%m.%Y"]}}}', True),
        ("retyped", '- {name: total_amount, data_type: "decimal(18,2)", config: {meta: {decimal: ","}}}', True),
    ]
    assert "100% of the rows have a 'day' that is no date" in found[0][1]
    fixed = {
        **ITEMS["columns"],
        "day": {"data_type": "date", "nullable": False, "formats": ["%d.%m.%Y"]},
        "total_amount": {"data_type": "decimal(18,2)", "decimal": ","},
    }
    shop.declare(items={**ITEMS, "columns": fixed})
    shop.run()
    assert drift.check(shop.merchant, shop.contracts, datetime.now(UTC)) == []


def test_a_value_that_is_not_allowed_yet(shop: Shop) -> None:
    (found,) = _check(shop, "id,total_amount,status,day\n2,1,refunded,2024-05-01\n")
    assert found[0] == "not_allowed"
    assert found[2] == "- {name: status, config: {meta: {allowed: [open, paid, refunded]}}}"


def test_json_may_leave_out_what_is_empty(shop: Shop) -> None:
    shop.declare(items={**ITEMS, "format": "jsonl"})
    records = [{"id": 1, "status": "paid", "ordered_day": "2024-05-01"}]
    shop.put("items_1", "\n".join(map(json.dumps, records)))
    shop.run()
    found = drift.check(shop.merchant, shop.contracts, datetime.now(UTC))
    assert [(finding.kind, finding.suggestion) for finding in found] == [
        ("renamed", "- {name: day, config: {meta: {source_name: ordered_day, also_named: [day]}}}")
    ]


def test_a_new_field_of_json_is_no_other_column_for_its_type_alone(shop: Shop) -> None:
    """A record may leave out what is empty, so that nothing is missing."""
    shop.declare(items={**ITEMS, "format": "jsonl"})
    shop.put("items_1", '{"id": 1, "status": "paid", "day": "2024-05-01", "score": 3}\n')
    shop.run()
    found = drift.check(shop.merchant, shop.contracts, datetime.now(UTC))
    assert [(finding.kind, finding.needs_change) for finding in found] == [("new", False)]


def test_tables_without_files_late_ones_and_files_without_tables(shop: Shop) -> None:
    shop.declare(items=ITEMS, others={**ITEMS, "file": "others*"}, once={**ITEMS, "file": "once*", "cadence": "once"})
    shop.put("items_1", "id,total_amount,status,day\n2,1,paid,2024-05-01\n")
    shop.put("once_1", "id,total_amount,status,day\n2,1,paid,2024-05-01\n")
    stray = shop.put("stray", "x")
    shop.run()
    found = drift.check(shop.merchant, shop.contracts, datetime.now(UTC) + timedelta(days=3))
    assert [(finding.table, finding.kind) for finding in found] == [
        ("shop.items", "late"),
        ("shop.others", "never_arrived"),
        ("", "unmatched"),
    ]
    assert "3 days" in found[0].message and str(stray) in found[-1].message
    assert not any(finding.needs_change for finding in found)


def test_a_file_that_cannot_be_read_needs_its_source(shop: Shop) -> None:
    ((kind, message, _, needed),) = _check(shop, "id,total_amount,status,day\n2,1,paid,\n", encoding="utf-16")[-1:]
    assert (kind, needed) == ("unreadable", True) and "items_1" in message


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["1", "22"], "data_type: bigint"),
        (["1", "007"], "data_type: string"),
        (["1.50", "-2"], 'data_type: "decimal(18,2)"'),
        (["1.505", "2"], "data_type: double"),
        (["1e400"], "data_type: string"),
        (["true", "No"], "data_type: boolean"),
        (["2024-05-01", "2024/5/2"], "data_type: date"),
        (["2024-05-01 10:00:00"], "data_type: timestamp"),
        (["01.05.2024 10:30"], 'data_type: timestamp, config: {meta: {formats: ["%d.%m.%Y %H:%M"]}}'),
        ([], "data_type: string"),
    ],
)
def test_the_narrowest_type_that_takes_every_value(values: list[str], line: str) -> None:
    with duckdb.connect() as connection:
        assert fitting.type_line(connection, values) == line
