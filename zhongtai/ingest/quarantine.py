"""What was rejected, and why; what of it was mended since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel

from zhongtai.ingest import landing, ledger, originals
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.rejected import FIRST_DAY, LAST_DAY
from zhongtai.ingest.row_numbers import parse_numbers
from zhongtai.ingest.stored import quarantine_file
from zhongtai.merchant import Merchant
from zhongtai.sql import read_parquet

# The reason code of a file that is quarantined as a whole.
WHOLE_FILE = "file"

# By position of the rejected rows' file: their numbers, and the position of the file that has them mended.
Mended = dict[int, dict[int, int]]


class QuarantinedFile(BaseModel):
    """A landed file of which something was rejected.

    Attributes:
        reasons: rejected rows by reason code; `file` where the file as a whole is.
        message: why the file as a whole is rejected.
        mended: how many of the rows were mended since, and wait no more.
        replaced_by: position of the later file that corrects this one, of which no row holds any more.
    """

    position: int
    silo: str
    table: str
    file: str
    reasons: dict[str, int]
    message: str | None = None
    mended: int = 0
    replaced_by: int | None = None


def list_quarantine(merchant: Merchant) -> list[QuarantinedFile]:
    """Every file with rejected rows or rejected as a whole, in landing order."""
    loads = [load for load in ledger.read(merchant) if load.rows_quarantined or load.status == "quarantined"]
    counts = _counts(sorted({_file(merchant, load) for load in loads if load.status == "loaded"}))
    mended = mended_rows(landing.read_log(merchant)) if loads else {}
    return [
        QuarantinedFile(
            position=load.position,
            silo=load.silo,
            table=load.table,
            file=load.file,
            reasons=counts.get(load.position, {WHOLE_FILE: load.rows_quarantined}),
            message=load.reason,
            mended=len(mended.get(load.position, {})),
            replaced_by=load.replaced_by,
        )
        for load in loads
    ]


def degraded(merchant: Merchant) -> dict[tuple[str, str], list[FileLoad]]:
    """The tables of which whole files are rejected, and are not corrected by a later one, with those files."""
    tables: dict[tuple[str, str], list[FileLoad]] = {}
    for load in ledger.read(merchant):
        if load.is_waiting:
            tables.setdefault((load.silo, load.table), []).append(load)
    return tables


def show(merchant: Merchant, silo: str, table: str, limit: int = 20) -> list[dict[str, object]]:
    """The table's rejected rows in landing order, at most `limit`: quarantine's columns, `mended_by`, `replaced_by`.

    A file rejected as a whole is one row, with the reason `file` and no row number. `replaced_by` is the position of
    the file that corrects the row's.
    """
    loads = [load for load in ledger.read(merchant) if (load.silo, load.table) == (silo, table)]
    replaced = {load.position: load.replaced_by for load in loads}
    whole: list[dict[str, object]] = [
        {
            "position": load.position,
            "silo": silo,
            "table_name": table,
            "file": load.file,
            "row_number": None,
            "line_number": None,
            "row_text": None,
            "reason": WHOLE_FILE,
            "message": load.reason,
        }
        for load in loads
        if load.status == "quarantined"
    ]
    rows = whole + list(_rows(rejected_files(merchant, loads), f"limit {int(limit)}"))
    mended = mended_rows(landing.read_log(merchant))
    for row in rows:
        position = int(str(row["position"]))
        row["mended_by"] = mended.get(position, {}).get(int(str(row["row_number"] or 0)))
        row["replaced_by"] = replaced[position]
    return sorted(rows, key=lambda row: int(str(row["position"])))[:limit]


def count(merchant: Merchant, silo: str, table: str) -> int:
    """How many rows `show` would give without a limit."""
    loads = [load for load in ledger.read(merchant) if (load.silo, load.table) == (silo, table)]
    return sum(load.rows_quarantined if load.status == "loaded" else 1 for load in loads)


def with_byte_offsets(merchant: Merchant, contract: Contract, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows of `show` with `byte_offset`, None where the form has none; their files are read up to them."""
    files = {file.position: merchant.landing / file.path for file in landing.read_log(merchant)}
    found: dict[tuple[object, object], int | None] = {}
    for position, together in groupby(rows, key=lambda row: int(str(row["position"]))):
        wanted = sorted(int(str(row["row_number"])) for row in together if row["row_number"] is not None)
        for record in originals.originals(contract, files[position], wanted):
            found[position, record.number] = record.byte_offset
    return [{**row, "byte_offset": found.get((row["position"], row["row_number"]))} for row in rows]


def waiting_rows(merchant: Merchant, silo: str, table: str) -> Iterator[dict[str, object]]:
    """The table's rejected rows that were not mended, of files that hold, in the order of file and row."""
    loads = [load for load in ledger.read(merchant) if (load.silo, load.table) == (silo, table)]
    holding = {load.position for load in loads if load.replaced_by is None}
    mended = mended_rows(landing.read_log(merchant))
    for row in _rows(rejected_files(merchant, loads)):
        position, number = int(str(row["position"])), int(str(row["row_number"]))
        if position in holding and number not in mended.get(position, {}):
            yield row


def rejected_files(merchant: Merchant, loads: Iterable[FileLoad]) -> list[Path]:
    """The Parquet files with the rejected rows of these loads."""
    return sorted({_file(merchant, load) for load in loads if load.status == "loaded" and load.rows_quarantined})


def mended_rows(log: Iterable[LandedFile], known_at: int | None = None) -> Mended:
    """Which rejected rows were mended, as the landing order tells it up to a position."""
    mended: Mended = {}
    for file in log:
        if known_at is None or file.position <= known_at:
            for position, numbers in file.mends.items():
                mended.setdefault(position, {}).update(dict.fromkeys(parse_numbers(numbers), file.position))
    return mended


def missing_dates(
    merchant: Merchant, loads: list[FileLoad], known_at: int | None = None
) -> dict[tuple[str, str, date], int]:
    """Rejected rows by silo, table and business date, without those that were mended at a landing position."""
    missing: dict[tuple[str, str, date], int] = {}
    for load in loads:
        for day, rows in load.quarantined_dates.items():
            place = (load.silo, load.table, day)
            missing[place] = missing.get(place, 0) + rows
    mended = mended_rows(landing.read_log(merchant), known_at)
    concerned = [load for load in loads if load.position in mended]
    for silo, table, position, number, day in _dated(rejected_files(merchant, concerned)):
        if number in mended.get(position, {}):
            missing[silo, table, day] -= 1
    return {place: rows for place, rows in missing.items() if rows}


def _file(merchant: Merchant, load: FileLoad) -> Path:
    return quarantine_file(merchant, load.silo, load.table, load.batch)


def _rows(files: list[Path], more: str = "") -> Iterator[dict[str, object]]:
    import duckdb

    if not files:
        return
    with duckdb.connect() as connection:
        result = connection.execute(f"select * from {read_parquet(files)} order by position, row_number {more}")
        names = [column[0] for column in result.description or []]
        while rows := result.fetchmany(1_000):
            yield from (dict(zip(names, row, strict=True)) for row in rows)


def _dated(files: list[Path]) -> Iterator[tuple[str, str, int, int, date]]:
    import duckdb

    if not files:
        return
    with duckdb.connect() as connection:
        result = connection.execute(
            f"select silo, table_name, position, row_number, business_date from {read_parquet(files)} "
            f"where business_date between {FIRST_DAY} and {LAST_DAY}"
        )
        while rows := result.fetchmany(10_000):
            yield from rows


def _counts(files: list[Path]) -> dict[int, dict[str, int]]:
    """Rows by position and reason."""
    if not files:
        return {}
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select position, reason, count(*) from {read_parquet(files)} "
            "group by position, reason order by position, reason"
        ).fetchall()
    counts: dict[int, dict[str, int]] = {}
    for position, reason, number in rows:
        counts.setdefault(position, {})[reason] = number
    return counts
