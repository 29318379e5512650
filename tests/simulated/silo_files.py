"""The simulated merchant's files in plain Python: what each table of a silo holds, and nothing of the platform's code.

Written from the contracts (transform/models/sources) and docs/contracts.md, so that an error of ingest has to be made
twice to go unseen. Amounts are integer cents, moments are UTC without a zone, dates are midnights.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from tests.simulated.cell_values import converted
from tests.simulated.contracts import ZONE, Contract


class UnreadableError(Exception):
    """A file that its contract rejects as a whole; says why."""


@dataclass(frozen=True)
class Row:
    """A row that its contract accepts: its file, its number there (1-based) and its typed values."""

    file: str
    number: int
    values: dict[str, Any]


@dataclass
class FileCount:
    """What became of the rows of a file."""

    rows_read: int = 0
    rows_duplicate: int = 0
    rows_superseded: int = 0
    unreadable: str | None = None
    # Each rejected row (1-based) with every reason that there is to reject it.
    rejected: dict[int, set[str]] = field(default_factory=dict)


@dataclass
class Reading:
    """A table read from its files.

    Attributes:
        rows: those that hold at the end, typed by the contract.
        history: those and the older versions of upsert tables.
        files: what became of each file's rows, in landing order.
        latest: the latest moment of the rows that landed; None where only dates are told.
        rejected_dates: business dates of rejected rows, where the row, or the name of a file that cannot be read,
            still tells it.
    """

    rows: pd.DataFrame
    history: pd.DataFrame
    files: dict[str, FileCount]
    latest: datetime | None = None
    rejected_dates: set[date] = field(default_factory=set)


def landed(silos: Path, contract: Contract) -> list[Path]:
    """The table's files in the order of landing, without those of which the table has the content already."""
    files = [path for path in (silos / contract.silo).iterdir() if fnmatch(path.name, contract.meta["file"])]
    ordered = sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name, str(path)))
    return list({path.read_bytes(): path for path in reversed(ordered)}.values())[::-1]


def read(silos: Path, contract: Contract) -> Reading:
    """Reads every file of a table, and resolves what landed more than once by the contract's load mode."""
    counts: dict[str, FileCount] = {}
    good: list[Row] = []
    rejected: list[dict[str, Any]] = []
    for path in landed(silos, contract):
        count = counts[path.name] = FileCount()
        try:
            records = list(_records(path, contract))
        except UnreadableError as error:
            count.unreadable = str(error)
            continue
        count.rows_read = len(records)
        for number, record in enumerate(records, start=1):
            values, reasons = _judged(record, contract)
            if reasons:
                count.rejected[number] = reasons
                rejected.append(values)
            else:
                good.append(Row(path.name, number, values))
    kept = good
    if contract.meta["load_mode"] == "append":
        kept, conflicts = _facts(good, contract, counts)
        rejected += [row.values for row in conflicts]
    elif contract.meta["load_mode"] != "snapshot":
        kept = _newest(good, contract, counts)
    moments = [_event(row.values, contract) for row in good]
    return Reading(
        rows=_frame([row.values for row in kept], contract),
        history=_frame([row.values for row in good], contract),
        files=counts,
        latest=max((moment for moment in moments if isinstance(moment, datetime)), default=None),
        rejected_dates={local_date(moment) for moment in (_day(row, contract) for row in rejected) if moment}
        | {day for name, count in counts.items() if count.unreadable for day in _days_of(name, contract)},
    )


def _days_of(name: str, contract: Contract) -> set[date]:
    """The day in the name of a file that holds facts of a day, such as events_20251101.jsonl.gz."""
    digits = "".join(letter if letter.isdigit() else " " for letter in name).split()
    days = [text for text in digits if len(text) == 8 and text.startswith("20")]
    return {datetime.strptime(text, "%Y%m%d").date() for text in days} if "event_time" in contract.meta else set()


def _event(row: dict[str, Any], contract: Contract) -> date | datetime | None:
    """When the row happened."""
    moment = row.get(contract.meta.get("event_time", ""))
    return moment if isinstance(moment, date) else None


def _day(row: dict[str, Any], contract: Contract) -> date | datetime | None:
    """When the row counts: by its business date, where the contract has one that the row tells."""
    moment = row.get(contract.meta.get("business_date", ""))
    return moment if isinstance(moment, date) else _event(row, contract)


def local_date(moment: date | datetime) -> date:
    """The merchant's date of a moment in UTC; a date is one already."""
    if not isinstance(moment, datetime):
        return moment
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(ZONE)).date()


def _records(path: Path, contract: Contract) -> Iterator[dict[str, Any] | None]:
    """The records of a file by header; None for one of broken structure.

    Raises:
        UnreadableError: the file is empty, broken, not of its encoding, or lacks a column.
    """
    content = path.read_bytes()
    if not content:
        raise UnreadableError("empty")
    if contract.form == "parquet":
        yield from _parquet_records(content, contract)
    elif contract.form == "xlsx":
        yield from _sheet_records(content, contract)
    else:
        text = _text(content, contract)
        yield from {"jsonl": _line_records, "json": _document_records, "csv": _csv_records}[contract.form](
            text, contract
        )


def _text(content: bytes, contract: Contract) -> str:
    try:
        plain = gzip.decompress(content) if contract.meta["file"].endswith(".gz") else content
    except (EOFError, OSError) as error:
        raise UnreadableError("archive") from error
    try:
        return plain.decode(contract.meta.get("encoding", "utf-8")).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableError("encoding") from error


def _line_records(text: str, _: Contract) -> Iterator[dict[str, Any] | None]:
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            record = None
        yield record if isinstance(record, dict) else None


def _document_records(text: str, contract: Contract) -> Iterator[dict[str, Any] | None]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError("document") from error
    for name in filter(None, contract.meta.get("records", "").split(".")):
        found = found[name]
    yield from found


def _csv_records(text: str, contract: Contract) -> Iterator[dict[str, Any] | None]:
    lines = csv.reader(io.StringIO(text), delimiter=contract.meta.get("delimiter", ","))
    header = [name.strip() for name in next(lines)]
    _check_columns(header, contract)
    for cells in lines:
        yield dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None


def _parquet_records(content: bytes, contract: Contract) -> Iterator[dict[str, Any]]:
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableError("parquet") from error
    _check_columns(table.column_names, contract)
    yield from table.to_pylist()


def _sheet_records(content: bytes, contract: Contract) -> Iterator[dict[str, Any]]:
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(contract.meta["sheet"])
    except (CalamineError, OSError) as error:
        raise UnreadableError("workbook") from error
    rows = [row for row in sheet.to_python() if any(cell != "" for cell in row)]
    if not rows:
        raise UnreadableError("empty")
    header = [str(name).strip() for name in rows[0]]
    _check_columns(header, contract)
    for row in rows[1:]:
        yield dict(zip(header, row, strict=True))


def _check_columns(header: list[str], contract: Contract) -> None:
    lacking = [column.header for column in contract.columns if column.header not in header]
    if lacking:
        raise UnreadableError(f"lacks {', '.join(lacking)}")


def _judged(record: dict[str, Any] | None, contract: Contract) -> tuple[dict[str, Any], set[str]]:
    """The typed row, and every reason for which the contract rejects it."""
    if record is None:
        return {}, {"structure"}
    row: dict[str, Any] = {}
    reasons: set[str] = set()
    for column in contract.columns:
        try:
            value = row[column.name] = converted(record.get(column.header), column.data_type, column.zone)
        except (ValueError, ArithmeticError):
            reasons.add("type")
            continue
        if value is None and not column.nullable:
            reasons.add("null")
        if value is not None and column.allowed and str(value) not in column.allowed:
            reasons.add("allowed")
    return row, reasons


def _facts(rows: list[Row], contract: Contract, counts: dict[str, FileCount]) -> tuple[list[Row], list[Row]]:
    """Append: the first row of a key stays; equal ones are duplicates, others conflicts, which come second."""
    first: dict[tuple[Any, ...], Row] = {}
    conflicts = []
    for row in rows:
        held = first.setdefault(_key(row, contract), row)
        if held is row:
            continue
        if held.values == row.values:
            counts[row.file].rows_duplicate += 1
        else:
            counts[row.file].rejected[row.number] = {"key_conflict"}
            conflicts.append(row)
    return list(first.values()), conflicts


def _newest(rows: list[Row], contract: Contract, counts: dict[str, FileCount]) -> list[Row]:
    """Upsert and tombstone: the greatest version of a key wins, of equal versions the latest landed."""
    versions: dict[tuple[Any, ...], list[Row]] = {}
    version, deleted = contract.meta.get("version"), contract.meta.get("deleted")
    for row in rows:
        known = versions.setdefault(_key(row, contract), [])
        if any(row.values == other.values for other in known):
            counts[row.file].rows_duplicate += 1
        else:
            known.append(row)
    kept = []
    for known in versions.values():
        *older, newest = sorted(known, key=lambda row: row.values[version]) if version else known
        for row in older:
            counts[row.file].rows_superseded += 1
        if not (deleted and newest.values[deleted]):
            kept.append(newest)
    return kept


def _key(row: Row, contract: Contract) -> tuple[Any, ...]:
    return tuple(row.values[name] for name in contract.key)


def _frame(rows: list[dict[str, Any]], contract: Contract) -> pd.DataFrame:
    """Rows as a table with the types that the contract names."""
    frame = pd.DataFrame(rows, columns=[column.name for column in contract.columns])
    for column in contract.columns:
        kind = column.data_type
        if kind in ("date", "timestamp"):
            frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[ns]")
        elif kind in ("integer", "bigint") or kind.startswith("decimal"):
            frame[column.name] = frame[column.name].astype("Int64" if column.nullable else "int64")
        elif kind == "double":
            frame[column.name] = frame[column.name].astype("float64")
    return frame


def business_date(moments: pd.Series) -> pd.Series:
    """The merchant's local dates of UTC moments, as midnights."""
    local = moments.dt.tz_localize("UTC").dt.tz_convert(ZONE)
    return local.dt.normalize().dt.tz_localize(None)
