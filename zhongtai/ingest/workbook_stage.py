"""Sheets of Excel workbooks to text columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import sheet_scan
from zhongtai.ingest.casts import EXCEL_LAST_DAY, EXCEL_NO_DAY
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.sheet_scan import SheetScan
from zhongtai.ingest.staged import Row, write_rows
from zhongtai.ingest.unpack import FileFault
from zhongtai.sql import read_parquet

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_Value = int | float | str | bool | time | date | datetime | timedelta
_HEADER_ROWS = 20  # among so many rows with a value is the header
_DAY_MS = 86_400_000
_DAYS_TO_1904 = 1_462
_FIRST_COUNTED, _COUNTED = datetime(1899, 12, 31), datetime(1899, 12, 30)


@dataclass(frozen=True)
class _Header:
    """Where the header is.

    Attributes:
        names: as they stand; of two rows that are one header together, joined by a space.
        end: its last row, from 0.
    """

    names: tuple[str, ...]
    end: int


@dataclass(frozen=True)
class SheetSource:
    """A sheet of a workbook.

    Attributes:
        position: of the landed file.
        names: the header, as it stands.
        header_row: the last row of the header, from 0.
        dates: the places of columns in which a number is a day.
    """

    position: int
    file: Path
    sheet: str
    names: tuple[str, ...]
    header_row: int
    dates: frozenset[int]
    scan: SheetScan

    @property
    def rows(self) -> int:
        """Rows with a value below the header; the sheet is read for it."""
        return sum(1 for _ in records(self))


def open_sheet(contract: Contract, position: int, file: Path) -> SheetSource:
    """Finds the sheet and its header: the first row, or pair of rows, that names every column of the contract.

    Raises:
        FileFault: not a workbook, no such sheet, or an empty one.
    """
    sheet, scan = sheet_scan.scan(file, contract.sheet)
    with _opened(file, sheet) as opened:
        header = _header(opened, scan, contract)
    if header is None:
        raise FileFault(f"the sheet '{sheet}' is empty: not even a header")
    days = {column.source_name for column in contract.columns if column.data_type in ("date", "timestamp")}
    names = contract.called([name.strip() for name in header.names])
    dates = frozenset(place for place, name in enumerate(names) if name in days)
    return SheetSource(position, file, sheet, header.names, header.end, dates, scan)


def stage(sources: list[SheetSource], folder: Path) -> list[str]:
    """Reads sheets with one header; returns queries that together give their records, as `staged.write_rows` does."""
    rows = (row for source in sources for row in records(source))
    return [f"select * from {read_parquet([write_rows(rows, len(sources[0].names), folder / 'sheets.parquet')])}"]


@contextmanager
def _opened(file: Path, sheet: str) -> Iterator[CalamineSheet]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(str(file)) as workbook:
            yield workbook.get_sheet_by_name(sheet)
    except (CalamineError, OSError) as error:
        raise FileFault(f"not readable as a workbook: {error}") from error
    except BaseException as error:
        # What the reader, written in Rust, did not foresee is no Exception to Python.
        if type(error).__name__ != "PanicException":
            raise
        raise FileFault(f"not readable as a workbook: {error}") from error


def _cells(sheet: CalamineSheet, scan: SheetScan) -> Iterator[tuple[int, list[_Value]]]:
    """Every row of the sheet with its number, from 0 and column A, and with the errors that the reader leaves out."""
    left: list[_Value] = [""] * (sheet.start[1] if sheet.start else 0)
    rows = sheet.iter_rows()
    for number in range(scan.height):
        row = left + next(rows, [])
        row += [""] * (scan.width - len(row))
        for column, error in scan.faulty.get(number, {}).items():
            row[column] = error
        yield number, row


def _header(sheet: CalamineSheet, scan: SheetScan, contract: Contract) -> _Header | None:
    """The first row, or pair of rows, with every name; else what has most of them, or the first row with a value."""
    wanted = {column.source_name for column in contract.columns}
    merged = dict(sheet.merged_cell_ranges or [])
    best: _Header | None = None
    best_count = -1
    before: tuple[int, list[str]] | None = None
    filled = 0
    for number, row in _cells(sheet, scan):
        texts = [cell_text(value) or "" for value in row]
        if not any(texts):
            before = None
            continue
        filled += 1
        candidates = [_Header(tuple(texts), number)]
        if before is not None:
            candidates.append(_Header(_joined(before[0], before[1], texts, merged), number))
        for candidate in candidates:
            count = len(wanted & set(contract.called([name.strip() for name in candidate.names])))
            if count > best_count:
                best, best_count = candidate, count
        if best_count == len(wanted) or filled == _HEADER_ROWS:
            break
        before = (number, texts)
    return best


def _joined(
    number: int, above: list[str], below: list[str], merged: dict[tuple[int, int], tuple[int, int]]
) -> tuple[str, ...]:
    """Names of two rows; what is merged over several columns above belongs to each of them."""
    upper = list(above)
    for place, text in enumerate(above):
        _, last = merged.get((number, place), (number, place))
        upper[place : last + 1] = [text if text else name for name in upper[place : last + 1]]
    return tuple(" ".join(filter(None, (top.strip(), name.strip()))) for top, name in zip(upper, below, strict=True))


def records(source: SheetSource) -> Iterator[Row]:
    """The rows with a value below the header."""
    number = 0
    with _opened(source.file, source.sheet) as sheet:
        for line, row in _cells(sheet, source.scan):
            if line <= source.header_row:
                continue
            texts = [cell_text(value) for value in row[: len(source.names)]]
            if any(texts):
                number += 1
                for place in source.dates:
                    texts[place] = _day(row[place], source.scan.is_1904) or texts[place]
                yield Row(source.position, number, line + 1, None, None, texts)


def _day(value: _Value, is_1904: bool) -> str | None:
    """A number as the moment that it stands for in a column of dates; None of what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    days = value + _DAYS_TO_1904 if is_1904 else value
    if value < 0 or not 1 <= days <= EXCEL_LAST_DAY + 1:
        return None
    milliseconds = round(days * _DAY_MS)
    day = milliseconds // _DAY_MS
    if day == EXCEL_NO_DAY or day > EXCEL_LAST_DAY:
        return None
    return cell_text((_FIRST_COUNTED if day < EXCEL_NO_DAY else _COUNTED) + timedelta(milliseconds=milliseconds))


def cell_text(value: _Value) -> str | None:
    """A cell as text, None of white space alone; Excel keeps every number as a double, so a whole one has no point."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return str(value)
