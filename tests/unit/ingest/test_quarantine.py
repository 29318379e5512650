"""Looking at what was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhongtai.ingest import quarantine

if TYPE_CHECKING:
    from tests.unit.ingest.conftest import Shop


def test_files_are_listed_with_their_reasons_and_rows_shown(shop: Shop) -> None:
    at = "2024-05-01 10:00:00"
    shop.put("orders_1.csv", shop.HEADER + f"x,Ann,paid,1,{at}\ny,Ann,paid,1,{at}\n1,Ann,paid,,{at}\n2,,,1,{at}\n")
    shop.put("orders_2.csv", "id\n1\n")
    shop.put("orders_3.csv", shop.HEADER + f"3,Ann,paid,1,{at}\n")
    shop.run()

    listed = quarantine.list_quarantine(shop.merchant)
    assert [(file.position, file.file, file.reasons) for file in listed] == [
        (1, "orders_1.csv", {"null": 1, "type": 2}),
        (2, "orders_2.csv", {"file": 1}),
    ]
    assert listed[1].message is not None and "'order_id' is missing" in listed[1].message

    shown = quarantine.show(shop.merchant, "shop", "orders", limit=3)
    assert [(row["row_number"], row["reason"]) for row in shown] == [(1, "type"), (2, "type"), (3, "null")]
    assert [row["reason"] for row in quarantine.show(shop.merchant, "shop", "orders")][-1] == "file"
    assert quarantine.show(shop.merchant, "shop", "unknown") == []


def test_nothing_rejected_is_an_empty_list(shop: Shop) -> None:
    assert quarantine.list_quarantine(shop.merchant) == []
