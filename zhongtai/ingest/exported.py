"""Rejected records as a file for a spreadsheet, and that file read again when they are mended."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path

from zhongtai.erasure import erasures
from zhongtai.errors import UsageError
from zhongtai.ingest import landing, originals, quarantine
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.originals import Original
from zhongtai.merchant import Merchant

OWN_COLUMNS = ("_file", "_row_number", "_reason", "_message")
EXTRA, RECORD = "_extra", "_record"
_DELIMITERS = ",;\t"
_ENCODINGS = ("utf-8-sig", "utf-16", "gb18030")


@dataclass(frozen=True)
class MendedRow:
    """A line of a mended export.

    Attributes:
        line: in the export, for messages.
        position, number: where the rejected record stands.
        times_erased: how many times somebody had been erased from its file when it was exported.
        values: by the contract's header names; None where the cell is empty.
        extra: the columns that the contract does not name.
    """

    line: int
    position: int
    number: int
    times_erased: int
    values: dict[str, str | None]
    extra: dict[str, str | None]


def columns(contract: Contract) -> list[str | None]:
    """The header of an export."""
    return [*OWN_COLUMNS, *(column.source_name for column in contract.columns), EXTRA, RECORD]


def export(merchant: Merchant, contract: Contract, to: Path) -> int:
    """Writes the table's rejected rows that wait, with their original text, as a CSV file or a workbook (`.xlsx`).

    The file holds personal data: only its owner can read it.

    Returns:
        How many rows it has.

    Raises:
        UsageError: the file exists.
    """
    if to.exists():
        raise UsageError(f"{to} exists, and may have been mended. Give another name, or remove it.")
    temporary = to.with_name(f".{to.name}.part")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL, 0o600))
    rows = _rows(merchant, contract)
    number = (_write_workbook if to.suffix.lower() == ".xlsx" else _write_csv)(temporary, columns(contract), rows)
    temporary.replace(to)
    return number


def read(contract: Contract, file: Path) -> list[MendedRow]:
    """An export as it came back, saved as CSV in UTF-8, UTF-16 or GB18030 with any usual delimiter, or as a workbook.

    Raises:
        UsageError: no such file, not an export of this table, or a row twice.
    """
    if not file.is_file():
        raise UsageError(f"There is no file {file}. Write one: zhongtai quarantine export SILO.TABLE --to FILE")
    lines = _workbook_lines(file) if file.suffix.lower() == ".xlsx" else _csv_lines(file)
    header = [name.strip() for name in next(lines, [])]
    needed = [*OWN_COLUMNS[:2], *(column.source_name for column in contract.columns)]
    if missing := [name for name in needed if name not in header]:
        raise UsageError(
            f"{file}: the column '{missing[0]}' is missing: give an export of {contract.silo}.{contract.table}."
        )
    rows: dict[tuple[int, int], MendedRow] = {}
    for line, cells in enumerate(lines, start=2):
        if any(cell.strip() for cell in cells):
            row = _mended_row(contract, file, line, dict(zip(header, cells, strict=False)))
            if (row.position, row.number) in rows:
                raise UsageError(f"{file}, line {line}: this row of {cells[header.index('_file')]} is there twice.")
            rows[row.position, row.number] = row
    return list(rows.values())


def record_values(contract: Contract, record: Original) -> tuple[list[str | None], str | None]:
    """A record's values in the contract's order, and the other columns as JSON."""
    values = record.values or {}
    names = [column.source_name for column in contract.columns]
    extra = {name: value for name, value in values.items() if name not in names}
    return [values.get(name) for name in names], json.dumps(extra, ensure_ascii=False) if extra else None


def _rows(merchant: Merchant, contract: Contract) -> Iterator[list[str | None]]:
    """The lines of an export, file by file."""
    files = {file.position: merchant.landing / file.path for file in landing.read_log(merchant)}
    erased = erasures.times_erased(merchant)
    waiting = quarantine.waiting_rows(merchant, contract.silo, contract.table)
    for position, together in groupby(waiting, key=lambda row: int(str(row["position"]))):
        reasons = {int(str(row["row_number"])): (str(row["reason"]), str(row["message"])) for row in together}
        for record in originals.originals(contract, files[position], list(reasons)):
            values, extra = record_values(contract, record)
            name = _name(files[position].name, erased.get(position, 0))
            yield [name, str(record.number), *reasons[record.number], *values, extra, record.text]


def _name(landed: str, times_erased: int) -> str:
    """The file's name in landing; `00000012.1_…` once somebody was erased from it, which gave its rows new numbers."""
    position, _, rest = landed.partition("_")
    return f"{position}.{times_erased}_{rest}" if times_erased else landed


def _write_csv(file: Path, header: list[str | None], rows: Iterable[list[str | None]]) -> int:
    number = 0
    # With a byte order mark, without which Excel takes UTF-8 for the system's own encoding.
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        for row in rows:
            number += 1
            writer.writerow(row)
        stream.flush()
        os.fsync(stream.fileno())
    return number


def _write_workbook(file: Path, header: list[str | None], rows: Iterable[list[str | None]]) -> int:
    """Every cell is text, so that leading zeros and long numbers stay as they are."""
    import xlsxwriter

    number = 0
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        sheet = book.add_worksheet("rejected")
        text = book.add_format({"num_format": "@"})
        for row in chain([header], rows):
            for place, value in enumerate(row):
                sheet.write_string(number, place, value or "", text)
            number += 1
    return number - 1


def _csv_lines(file: Path) -> Iterator[list[str]]:
    content = file.read_bytes()
    for encoding in _ENCODINGS:
        if encoding == "utf-16" and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            text = content.decode(encoding)
            break
        except UnicodeError:
            continue
    else:
        raise UsageError(f"{file}: not readable as text in UTF-8. Save it as CSV UTF-8.")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise UsageError(f"{file}: not readable as CSV: {error}. Save it as CSV UTF-8.") from error


def _workbook_lines(file: Path) -> Iterator[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    from zhongtai.ingest.workbook_stage import cell_text

    try:
        with CalamineWorkbook.from_path(str(file)) as book:
            rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise UsageError(f"{file}: not readable as a workbook: {error}") from error
    yield from ([cell_text(value) or "" for value in row] for row in rows)


def _mended_row(contract: Contract, file: Path, line: int, cells: dict[str, str]) -> MendedRow:
    name, number = cells.get("_file", ""), cells.get("_row_number", "")
    position, _, times_erased = name.partition("_")[0].partition(".")
    if not (position.isdecimal() and number.isdecimal() and (times_erased or "0").isdecimal()):
        raise UsageError(f"{file}, line {line}: '_file' and '_row_number' must stay as they were exported.")
    extra: dict[str, str | None] = {}
    if cells.get(EXTRA):
        try:
            extra = {key: None if value is None else str(value) for key, value in json.loads(cells[EXTRA]).items()}
        except (ValueError, AttributeError) as error:
            raise UsageError(f"{file}, line {line}: '{EXTRA}' is no JSON object: {error}") from error
    values = {column.source_name: cells.get(column.source_name) or None for column in contract.columns}
    return MendedRow(line, int(position), int(number), int(times_erased or 0), values, extra)
