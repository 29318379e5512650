"""Excel workbooks with a sheet a table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from zhongtai.ingest.contract import Contract

_LOCAL_HOURS = 8


def local_rows(contract: Contract, rows: pa.Table) -> list[dict[str, Any]]:
    """The rows with times on the local clock, where the contract says that the silo's clock is local."""
    for place, column in enumerate(contract.columns):
        if column.data_type == "timestamp" and column.time_zone == "local":
            micros = pc.add(rows.column(place).cast(pa.int64()), _LOCAL_HOURS * 3_600_000_000)
            rows = rows.set_column(place, column.source_name, micros.cast(pa.timestamp("us")))
    return rows.to_pylist()


def workbook(contracts: list[Contract], sheets: Mapping[str, list[dict[str, Any]]], created: date) -> bytes:
    """A workbook with the sheets of all contracts, empty where a table has no rows.

    Args:
        sheets: for each table its rows, as `local_rows` gives them.
        created: written into the workbook, so that the same rows give the same bytes.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "constant_memory": True}) as book:
        book.set_properties({"created": datetime(created.year, created.month, created.day), "author": "office"})
        formats = {
            "timestamp": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        for contract in contracts:
            sheet = book.add_worksheet(contract.sheet or contract.table)
            sheet.write_row(0, 0, [column.source_name for column in contract.columns])
            for number, row in enumerate(sheets.get(contract.table, ()), start=1):
                for place, value in enumerate(row.values()):
                    _write(sheet, number, place, value, formats)
    return target.getvalue()


def _write(sheet: Any, row: int, place: int, value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, str):
        sheet.write_string(row, place, value)
    elif isinstance(value, bool):
        sheet.write_boolean(row, place, value)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, place, float(value))
    elif isinstance(value, datetime):
        sheet.write_datetime(row, place, value, formats["timestamp"])
    else:
        sheet.write_datetime(row, place, value, formats["date"])
