"""What makes a row a fault, and what quarantine says about it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop

AT = "2024-05-01 10:00:00"


def test_every_reason_code_of_a_row(shop: Shop) -> None:
    shop.put(
        "orders.csv",
        shop.HEADER
        + f"1,Ann,paid,10.00,{AT}\n"
        + f"x2,Ann,paid,10.00,{AT}\n"
        + f"3,Ann,paid,,{AT}\n"
        + f"4,Ann,lost,10.00,{AT}\n"
        + "5,Ann,paid\n"
        + f"1,Ann,paid,99.00,{AT}\n",
    )
    (load,) = shop.run()

    assert shop.counts() == [(6, 1, 5, 0, 0)]
    assert load.adds_up
    assert [
        (row["row_number"], row["line_number"], row["column_name"], row["reason"]) for row in shop.rejected("orders")
    ] == [
        (2, 3, "order_id", "type"),
        (3, 4, "amount", "null"),
        (4, 5, "status", "allowed"),
        (5, 6, None, "structure"),
        (6, 7, "order_id", "key_conflict"),
    ]
    assert [row["message"] for row in shop.rejected("orders")] == [
        "'x2' is not a bigint",
        "is empty, and may not be",
        "'lost' is not one of: paid, open",
        "fewer values than the header's 5",
        "other values under the same key (order_id) than orders.csv row 1",
    ]


def test_a_row_with_several_faults_is_one_row_that_lists_all(shop: Shop) -> None:
    shop.put("orders.csv", shop.HEADER + "x,Ann,lost,abc,never\n")
    shop.run()

    (row,) = shop.rejected("orders")
    assert [(fault["column_name"], fault["reason"]) for fault in row["faults"]] == [
        ("order_id", "type"),
        ("status", "allowed"),
        ("amount", "type"),
        ("placed_at", "type"),
    ]
    assert (row["column_name"], row["reason"], row["business_date"]) == ("order_id", "type", None)
    assert shop.counts() == [(1, 0, 1, 0, 0)]


def test_personal_data_are_masked_and_unknown_columns_too(shop: Shop) -> None:
    shop.put(
        "orders.csv",
        f"order_id,buyer,status,amount,placed_at,phone\n1,Ann Lee,paid,abc,{AT},13800000000\n2,Ann Lee,paid\n",
    )
    shop.run()

    broken_value, broken_line = shop.rejected("orders")
    assert broken_value["row_text"] == {
        "order_id": "1",
        "buyer": "***",
        "status": "paid",
        "amount": "abc",
        "placed_at": AT,
        "_extra": "***",
    }
    assert broken_line["row_text"] == {"line": "***"}


def test_a_broken_line_is_shown_where_nothing_personal_can_be_in_it(shop: Shop) -> None:
    columns = {name: given for name, given in shop.ORDERS["columns"].items() if name != "buyer"}
    shop.declare(orders={**shop.ORDERS, "columns": columns})
    shop.put("orders.csv", "order_id,status,amount,placed_at\n2,paid\n")
    shop.run()
    assert shop.rejected("orders")[0]["row_text"] == {"line": "2,paid"}


def test_quarantined_dates_are_local_dates(shop: Shop) -> None:
    shop.put(
        "orders.csv",
        shop.HEADER
        + "1,Ann,lost,1.00,2024-05-01 23:59:59\n"
        + "2,Ann,lost,1.00,2024-05-01T17:00:00Z\n"  # 01:00 on the 2nd in Shanghai
        + "3,Ann,lost,1.00,nonsense\n",
    )
    (load,) = shop.run()
    assert load.quarantined_dates == {date(2024, 5, 1): 1, date(2024, 5, 2): 1}


def test_lines_and_rows_are_numbered_across_quoted_line_ends_and_blank_lines(shop: Shop) -> None:
    shop.put(
        "orders.csv",
        shop.HEADER
        + f'1,"Ann\nLee",paid,1.00,{AT}\n'
        + "\n"
        + f"2,Bo,lost,1.00,{AT}\n"
        + "3,Bo\n"
        + f"4,Cy,paid,1,{AT}",
    )
    shop.run()

    assert shop.raw("orders", "order_id, buyer, _row_number") == [(1, "Ann\nLee", 1), (4, "Cy", 4)]
    assert [(row["row_number"], row["line_number"]) for row in shop.rejected("orders")] == [(2, 5), (3, 6)]


def test_a_quote_that_is_never_closed_costs_one_line(shop: Shop) -> None:
    shop.put(
        "orders.csv",
        shop.HEADER + f'1,"Ann,paid,1.00,{AT}\n' + f"2,Bo,paid,1.00,{AT}\n" + f"3,Cy,paid,1.00,{AT}\n",
    )
    shop.run()
    assert [row[0] for row in shop.raw("orders", "order_id")] == [2, 3]
    assert [(row["row_number"], row["reason"]) for row in shop.rejected("orders")] == [(1, "structure")]


@pytest.mark.parametrize("position", ["first", "middle", "last"])
def test_rejected_lines_do_not_shift_the_numbers_of_others(shop: Shop, position: str) -> None:
    lines = [f"{number},Ann,paid,1.00,{AT}" for number in range(1, 8)]
    broken = {"first": [0, 1], "middle": [2, 3, 5], "last": [6]}[position]
    for index in broken:
        lines[index] += ",,surplus"
    shop.put("orders.csv", shop.HEADER + "\n".join(lines) + "\n")
    shop.run()
    assert all(order_id == row for order_id, row in shop.raw("orders", "order_id, _row_number"))
    assert [row["line_number"] for row in shop.rejected("orders")] == [index + 2 for index in broken]
    assert shop.counts() == [(7, 7 - len(broken), len(broken), 0, 0)]


@pytest.mark.parametrize("exactly", [False, True])
def test_both_csv_readers_agree_on_the_number_of_values(shop: Shop, exactly: bool) -> None:
    lines = [f"1,Ann,paid,1.00,{AT},,", f"2,Ann,paid,1.00,{AT},x", "3,Ann", f'4,Ann,paid,1.00,{AT},""']
    blank = "\n" if exactly else ""  # makes the fast reader's line count unprovable
    shop.put("orders.csv", shop.HEADER + "\n".join(lines) + "\n" + blank)
    shop.run()
    assert shop.raw("orders", "order_id, _row_number") == [(1, 1), (4, 4)]
    assert [(row["row_number"], row["line_number"], row["message"]) for row in shop.rejected("orders")] == [
        (2, 3, "more values than the header's 5"),
        (3, 4, "fewer values than the header's 5"),
    ]


VALUES: list[tuple[str, str, Any]] = [
    ("bigint", "12", 12),
    ("bigint", " +12 ", 12),
    ("bigint", "12.0", 12),
    ("bigint", "12.5", "type"),
    ("bigint", "1e3", "type"),
    ("bigint", "1_000", "type"),
    ("bigint", "0x10", "type"),
    ("bigint", "9223372036854775808", "type"),
    ("integer", "2147483648", "type"),
    ("decimal(18,2)", "1.005", Decimal("1.01")),
    ("decimal(18,2)", "-1.005", Decimal("-1.01")),
    ("decimal(18,2)", ".5", Decimal("0.50")),
    ("decimal(18,2)", "99999999999999999.00", "type"),
    ("decimal(18,2)", "1,5", "type"),
    ("decimal(18,2)", "NaN", "type"),
    ("double", "1e3", 1000.0),
    ("double", "1e999", "type"),
    ("double", "Infinity", "type"),
    ("boolean", "Yes", True),
    ("boolean", "0", False),
    ("boolean", "2", "type"),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "2023-02-29", "type"),
    ("date", "2024-05-01 00:00:00", date(2024, 5, 1)),
    ("date", "2024-05-01 10:00:00", "type"),
    ("timestamp", "2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10)),
    ("timestamp", "2024-05-01 10:00:00+08:00", datetime(2024, 5, 1, 2)),
    ("timestamp", "2024-05-01 10:00:00+08", datetime(2024, 5, 1, 2)),
    ("timestamp", "2024-05-01 10:00:00", datetime(2024, 5, 1, 10)),
    ("timestamp", "infinity", "type"),
    ("timestamp", "1714557600", "type"),
    ("string", "\u3000 padded\t\u00a0", "padded"),
    ("string", " \t ", None),
    ("bigint", "", None),
]


def _one_value_table(data_type: str, file: str = "t.csv") -> dict[str, Any]:
    columns = {"id": {"data_type": "bigint"}, "value": {"data_type": data_type}}
    return {"file": file, "load_mode": "append", "key": ["id"], "columns": columns}


def test_text_becomes_its_type_or_a_fault_and_never_something_else(shop: Shop) -> None:
    tables = {
        f"t{number}": _one_value_table(data_type, f"t{number}.csv") for number, (data_type, _, _) in enumerate(VALUES)
    }
    shop.declare(**tables)
    for number, (_, text, _) in enumerate(VALUES):
        shop.put(f"t{number}.csv", f'id,value\n1,"{text}"\n')
    shop.run()

    found = []
    for number, (data_type, text, _) in enumerate(VALUES):
        rows = shop.raw(f"t{number}", '"value"')
        found.append((data_type, text, rows[0][0] if rows else shop.rejected(f"t{number}")[0]["reason"]))
    assert found == VALUES


NATIVE: list[tuple[str, str, Any]] = [
    ("decimal(18,2)", "12.345::double", Decimal("12.35")),
    ("decimal(18,2)", "-0.125::double", Decimal("-0.13")),
    ("decimal(18,2)", "0.1::float", Decimal("0.10")),
    ("decimal(18,2)", "1.005::decimal(10,3)", Decimal("1.01")),
    ("decimal(18,2)", "'nan'::double", "type"),
    ("decimal(18,2)", "1e17::double", "type"),
    ("bigint", "3.0::double", 3),
    ("bigint", "3.5::double", "type"),
    ("bigint", "'inf'::double", "type"),
    ("bigint", "3.5::decimal(4,1)", "type"),
    ("integer", "3000000000::bigint", "type"),
    ("bigint", "true", "type"),
    ("bigint", "'17'", 17),
    ("double", "7::integer", 7.0),
    ("double", "'nan'::double", "type"),
    ("boolean", "1::integer", True),
    ("boolean", "5::integer", "type"),
    ("date", "timestamp '2024-05-01 00:00:00'", date(2024, 5, 1)),
    ("date", "timestamp '2024-05-01 00:00:01'", "type"),
    ("timestamp", "date '2024-05-01'", datetime(2024, 5, 1)),
    ("timestamp", "timestamptz '2024-05-01 10:00:00+08'", datetime(2024, 5, 1, 2)),
    ("timestamp", "timestamp_ns '2024-05-01 10:00:00.123456'", datetime(2024, 5, 1, 10, 0, 0, 123456)),
    ("timestamp", "1714557600::bigint", "type"),
    ("string", "5::bigint", "5"),
    ("string", "[1, 2]", "[1,2]"),
    ("string", "'text'::blob", "text"),
    ("string", "null::integer", None),
]


def test_parquet_types_become_the_contracts_or_a_fault(shop: Shop) -> None:
    tables = {
        f"t{number}": _one_value_table(data_type, f"t{number}.parquet")
        for number, (data_type, _, _) in enumerate(NATIVE)
    }
    shop.declare(**tables)
    for number, (_, sql, _) in enumerate(NATIVE):
        shop.put_parquet(f"t{number}.parquet", f"select 1 as id, {sql} as value")
    shop.run()

    found = []
    for number, (data_type, sql, _) in enumerate(NATIVE):
        rows = shop.raw(f"t{number}", '"value"')
        found.append((data_type, sql, rows[0][0] if rows else shop.rejected(f"t{number}")[0]["reason"]))
    assert found == NATIVE


def test_a_naive_timestamp_is_read_on_its_clock_and_kept_in_utc(shop: Shop) -> None:
    shop.put("orders.csv", shop.HEADER + "1,Ann,paid,1,2024-05-01 07:30:00\n")
    (load,) = shop.run()
    assert shop.raw("orders", "placed_at") == [(datetime(2024, 4, 30, 23, 30),)]
    assert load.first_event_at is not None and load.first_event_at.isoformat() == "2024-04-30T23:30:00+00:00"


def test_a_date_as_event_time_lasts_from_its_local_start_to_its_local_end(shop: Shop) -> None:
    shop.declare(orders={**_one_value_table("date"), "event_time": "value"})
    shop.put("t.csv", "id,value\n1,2024-05-01\n2,2024-05-02\n")
    (load,) = shop.run()
    assert load.first_event_at is not None and load.last_event_at is not None
    assert load.first_event_at.isoformat() == "2024-04-30T16:00:00+00:00"
    assert load.last_event_at.isoformat() == "2024-05-02T15:59:59.999999+00:00"
