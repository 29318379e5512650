"""A workbook with a sheet about persons and one about nobody."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import xlsxwriter

from tests.unit.erasure.conftest import forget
from tests.unit.ingest.conftest import Shop
from zhongtai.ingest import ledger

TEXT = {"data_type": "string"}
BOOK = {"file": "book*.xlsx", "format": "xlsx", "load_mode": "append"}
VISITORS = [("visit_id", "user_id"), ("v1", "user-ann"), ("v2", "user-bob"), ("v3", "user-ann")]
STORES = [("store_id", "city"), ("s1", "深圳"), ("s2", "苏州")]


def test_the_sheet_about_nobody_stays_as_it_was(shop: Shop) -> None:
    user = {"data_type": "string", "personal_data": "identifier"}
    shop.declare(
        visits={**BOOK, "sheet": "visits", "key": ["visit_id"], "columns": {"visit_id": TEXT, "user_id": user}},
        stores={**BOOK, "sheet": "stores", "key": ["store_id"], "columns": {"store_id": TEXT, "city": TEXT}},
    )
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        for name, rows in (("visits", VISITORS), ("stores", STORES)):
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    shop.put("book_1.xlsx", sink.getvalue())
    shop.run()
    done = forget(shop, ("shop", "user-ann"))
    assert done.rows == 2
    assert shop.raw("visits", "visit_id, user_id") == [("v2", "user-bob")]
    assert shop.raw("stores", "store_id, city") == STORES[1:]
    loads = {load.table: (load.rows_read, load.rows_loaded, load.rows_erased) for load in ledger.read(shop.merchant)}
    assert loads == {"visits": (3, 1, 2), "stores": (2, 2, 0)}
    # Both landed copies are without the person: what is packed is searched by the command.
    copies = [_cells(file) for file in shop.merchant.landing.glob("shop/*/*.xlsx")]
    assert len(copies) == 2
    assert copies[0] == copies[1]
    assert "user-ann" not in str(copies)


def _cells(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """All values by sheet; the bytes of a workbook also tell when it was saved."""
    book = openpyxl.load_workbook(file)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
