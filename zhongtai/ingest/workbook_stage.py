"""Sheets of Excel workbooks to text columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from zhongtai.ingest.contract import Contract
from zhongtai.ingest.staged import Row, write_rows
from zhongtai.ingest.unpack import FileFault
from zhongtai.sql import read_parquet

_Value = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True)
class SheetSource:
    """A sheet of a workbook.

    Attributes:
        position: of the landed file.
        names: the header, as it stands.
        header_row: the row of the header, from 0.
        rows: rows with a value below the header.
    """

    position: int
    file: Path
    sheet: str
    names: tuple[str, ...]
    header_row: int
    rows: int


def open_sheet(contract: Contract, position: int, file: Path) -> SheetSource:
    """Finds the sheet and its header: the first row with a value.

    Raises:
        FileFault: not a workbook, no such sheet, or an empty one.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(str(file)) as workbook:
            if not workbook.sheet_names:
                raise FileFault("the workbook has no sheet")
            sheet = contract.sheet or workbook.sheet_names[0]
            if sheet not in workbook.sheet_names:
                raise FileFault(f"there is no sheet '{sheet}'; the workbook has: {', '.join(workbook.sheet_names)}")
            values = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise FileFault(f"not readable as a workbook: {error}") from error
    except BaseException as error:
        # What the reader, written in Rust, did not foresee is no Exception to Python.
        if type(error).__name__ != "PanicException":
            raise
        raise FileFault(f"not readable as a workbook: {error}") from error
    for number, row in enumerate(values):
        if any(_text(value) for value in row):
            rows = sum(1 for later in values[number + 1 :] if any(_text(value) for value in later))
            return SheetSource(position, file, sheet, tuple(_text(value) or "" for value in row), number, rows)
    raise FileFault(f"the sheet '{sheet}' is empty: not even a header")


def stage(sources: list[SheetSource], folder: Path) -> list[str]:
    """Reads sheets with one header; returns queries that together give their records, as `staged.write_rows` does."""
    width = len(sources[0].names)
    rows = (row for source in sources for row in _rows(source, width))
    return [f"select * from {read_parquet([write_rows(rows, width, folder / 'sheets.parquet')])}"]


def _rows(source: SheetSource, width: int) -> Iterator[Row]:
    from python_calamine import CalamineWorkbook

    number = 0
    with CalamineWorkbook.from_path(str(source.file)) as workbook:
        values = workbook.get_sheet_by_name(source.sheet).to_python(skip_empty_area=False)
    for line, row in enumerate(values[source.header_row + 1 :], start=source.header_row + 2):
        texts = [_text(value) for value in row[:width]]
        if any(texts):
            number += 1
            yield Row(source.position, number, line, None, None, texts + [None] * (width - len(texts)))


def _text(value: _Value) -> str | None:
    """A cell as text; Excel keeps every number as a double, so a whole one is written without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, timedelta):
        return str(value)
    return str(value) or None
