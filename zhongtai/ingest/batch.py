"""One batch of a table's files: cast, judged, stored and counted together."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.erasure import erasures
from zhongtai.ingest import (
    event_ranges,
    faults,
    journal,
    keys,
    ledger,
    parquet_stage,
    reader,
    rejected,
    renamed_columns,
    stored,
)
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.faults import Judge
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.reader import Whole
from zhongtai.ingest.unpack import FileFault
from zhongtai.merchant import Merchant
from zhongtai.sql import read_parquet, scalar

if TYPE_CHECKING:
    import duckdb


_DATE = re.compile(r"(?<!\d)(20\d{2})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")


@dataclass(frozen=True)
class Batch:
    """What the loading of files together needs.

    Attributes:
        folder: for temporary files.
        hash: `ledger.current_hash` of the contract.
        latest: the latest moment (UTC) that the table's earlier files tell.
    """

    connection: duckdb.DuckDBPyConnection
    merchant: Merchant
    contract: Contract
    folder: Path
    hash: str
    latest: datetime | None = None

    @property
    def judge(self) -> Judge:
        """The contract on the merchant's clock."""
        return Judge(self.contract, self.merchant.time_zone)


def load(
    work: Batch, files: list[tuple[LandedFile, Path]], replaced: dict[int, int], entries: dict[int, FileLoad]
) -> list[FileLoad]:
    """Loads files that follow each other in landing order.

    Args:
        replaced: the position of the file that corrects a file, by position.
        entries: the table's entries so far, by position.

    Returns:
        The entries that this changed or made.
    """
    first = files[0][0].position
    work = replace(work, latest=event_ranges.latest_before(entries.values(), first, work.hash))
    new = {file.position: _new_entry(work, file, replaced) for file, _ in files}
    held = _held_before(work, entries, first)
    paths = {file.position: path for file, path in files}
    broken: dict[int, FileFault] = {}
    while True:
        shutil.rmtree(work.folder, ignore_errors=True)
        journal.private_folder(work.folder)
        readable = {position: path for position, path in paths.items() if position not in broken}
        try:
            changed = _load_readable(work, readable, new, held, broken)
            break
        except _Unreadable as error:
            broken |= error.faults
    erased = erasures.rows_erased(work.merchant)
    changed = [_with_erased(entry, erased.get(entry.position, 0) if entry.position in new else 0) for entry in changed]
    ledger.append(work.merchant, changed)
    shutil.rmtree(work.folder)
    return changed


class _Unreadable(Exception):
    """Files that turned out to be broken while they were read.

    Attributes:
        faults: by position.
    """

    def __init__(self, faults: dict[int, FileFault]) -> None:
        super().__init__(*faults)
        self.faults = faults


def _new_entry(work: Batch, file: LandedFile, replaced: dict[int, int]) -> FileLoad:
    return FileLoad(
        position=file.position,
        silo=file.silo,
        table=file.table,
        file=file.name,
        contract_hash=work.hash,
        replaced_by=replaced.get(file.position),
    )


def _held_before(work: Batch, entries: dict[int, FileLoad], position: int) -> dict[int, FileLoad]:
    """The entries whose rows new ones are judged against."""
    return {
        entry.position: entry
        for entry in entries.values()
        if entry.position < position
        and entry.contract_hash == work.hash
        and entry.status == "loaded"
        and entry.replaced_by is None
    }


def _load_readable(
    work: Batch,
    paths: dict[int, Path],
    new: dict[int, FileLoad],
    held: dict[int, FileLoad],
    broken: dict[int, FileFault],
) -> list[FileLoad]:
    """Reads and stores what is readable; returns every entry that changed."""
    import duckdb

    try:
        whole = reader.read_whole(work.connection, work.judge, paths, work.folder)
        entries = _store_whole(work, whole, next(iter(new.values())), held) if whole and not broken else None
        if entries is not None:
            return entries
        queries, found = reader.read(work.connection, work.judge, paths, work.folder)
        renamed = renamed_columns.in_records(work.connection, work.contract, queries, paths)
        queries = _without(queries, renamed)
        faults = renamed_columns.in_headers(work.connection, work.contract, found, paths) | renamed | broken
        files = [new[position] for position in paths if position not in faults]
        stored = _store(work, queries, files, held) if files else []
    except (duckdb.InternalException, duckdb.FatalException):
        raise  # no file's fault
    except duckdb.Error as error:
        # Text was read whole before.
        is_parquet = work.contract.format == "parquet"
        unreadable = parquet_stage.unreadable(work.connection, work.contract, paths, work.folder) if is_parquet else {}
        if unreadable:
            raise _Unreadable(unreadable) from error
        raise
    changed = {entry.position: entry for entry in stored}
    for position, fault in faults.items():
        rows = {"rows_read": fault.rows, "rows_quarantined": fault.rows}
        dates = _dates_named(new[position].file, fault.rows) if work.contract.has_days else {}
        update = {"status": "quarantined", "reason": str(fault), "batch": position, "quarantined_dates": dates, **rows}
        changed[position] = new[position].model_copy(update=update)
    return [changed[position] for position in sorted(changed)]


def _dates_named(name: str, rows: int) -> dict[date, int]:
    """The date in a file's name, if there is one: the only thing that a file which cannot be read tells of its rows."""
    found = _DATE.search(name)
    try:
        day = date(*map(int, found.groups())) if found else None
    except ValueError:
        day = None
    return {day: max(rows, 1)} if day else {}


def _without(queries: list[str], faults: dict[int, FileFault]) -> list[str]:
    """The rows of the other files."""
    if not faults:
        return queries
    left_out = ", ".join(map(str, faults))
    return [f"select * from ({query}) where _file_position not in ({left_out})" for query in queries]


def _store_whole(work: Batch, whole: Whole, entry: FileLoad, held: dict[int, FileLoad]) -> list[FileLoad] | None:
    """Writes one file straight to raw, where every row of it is right; None where one is not."""
    import duckdb

    contract, connection = work.contract, work.connection
    file = stored.raw_file(work.merchant, contract.silo, contract.table, entry.position)
    try:
        temporary = stored.write(connection, whole.query, file, whole.enough_bytes)
    except (duckdb.ConversionException, duckdb.InvalidInputException, UnicodeDecodeError):
        return None
    written = f"select count(*) filter (where _row_number is null) from {read_parquet([temporary])}"
    if scalar(connection, written) != whole.rows:
        return None
    connection.execute(f"create or replace temp view accepted as select * from {stored.raw_rows([temporary])}")
    superseded = keys.judge(connection, contract, _stored(work, held))
    if _verdicts(connection):
        return None
    journal.put_in_place(temporary, file)
    counted = entry.model_copy(update={"batch": entry.position})
    return _counted(work, [counted], {entry.position: (whole.rows, 0)}, {}, superseded, held)


def _store(work: Batch, queries: list[str], files: list[FileLoad], held: dict[int, FileLoad]) -> list[FileLoad]:
    """Writes judged rows to raw and quarantine; returns the files' entries and the earlier ones that changed."""
    connection = work.connection
    judged = " union all ".join(queries)
    connection.execute(f"create or replace temp view judged as {judged}")
    connection.execute(f"create or replace temp view accepted as {faults.accepted(work.contract, judged)}")
    read = _rows_by_file(connection)
    superseded = keys.judge(connection, work.contract, _stored(work, held))
    verdicts = _verdicts(connection)
    files = [entry.model_copy(update={"batch": files[0].position}) for entry in files]
    _write_raw(work, files[0].batch, bool(verdicts))
    changed = _counted(work, files, read, verdicts, superseded, held)
    if any(entry.rows_quarantined for entry in files):
        rejected.write(work, files, held)
    return changed


def _stored(work: Batch, held: dict[int, FileLoad]) -> list[Path]:
    """The raw files with rows that the new ones are judged against."""
    return sorted({stored.raw_file(work.merchant, entry.silo, entry.table, entry.batch) for entry in held.values()})


def _counted(
    work: Batch,
    files: list[FileLoad],
    read: dict[int, tuple[int, int]],
    verdicts: dict[int, dict[str, int]],
    superseded: dict[int, int],
    held: dict[int, FileLoad],
) -> list[FileLoad]:
    """Sets the files' counts; returns them and the earlier entries that changed.

    Args:
        read: the rows of each file, and how many of them are faulty.
        verdicts: rows that are not stored, by file and verdict.
        superseded: rows of each file that lost their place as the holding version.
    """
    for entry in files:
        entry.rows_read, faulty = read.get(entry.position, (0, 0))
        mine = verdicts.get(entry.position, {})
        entry.rows_quarantined = faulty + mine.get("key_conflict", 0)
        entry.rows_duplicate = mine.get("duplicate", 0)
        entry.rows_superseded = superseded.pop(entry.position, 0)
        entry.rows_loaded = entry.rows_read - entry.rows_quarantined - entry.rows_duplicate - entry.rows_superseded
        if entry.replaced_by is not None:
            entry.rows_superseded, entry.rows_loaded = entry.rows_superseded + entry.rows_loaded, 0
    event_ranges.set_event_ranges(work, files)
    return [*(_with_superseded(held[position], rows) for position, rows in superseded.items()), *files]


def _rows_by_file(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[int, int]]:
    """The rows of each file, and how many of them are faulty."""
    counted = connection.execute(
        "select _file_position, count(*), count(*) filter (where is_faulty) from judged group by _file_position"
    ).fetchall()
    return {int(position): (int(rows), int(faulty)) for position, rows, faulty in counted}


def _verdicts(connection: duckdb.DuckDBPyConnection) -> dict[int, dict[str, int]]:
    """Rows that are not stored, by file and verdict."""
    position, _ = keys.place_of("row_id")
    counts: dict[int, dict[str, int]] = {}
    query = f"select {position}, verdict, count(*) from verdicts group by all"
    for file, verdict, rows in connection.execute(query).fetchall():
        counts.setdefault(int(file), {})[verdict] = int(rows)
    return counts


def _with_superseded(load: FileLoad, rows: int) -> FileLoad:
    return load.model_copy(
        update={"rows_loaded": load.rows_loaded - rows, "rows_superseded": load.rows_superseded + rows}
    )


def _with_erased(load: FileLoad, rows: int) -> FileLoad:
    """A file that is loaded anew is counted with the rows that were erased from it."""
    return load.model_copy(update={"rows_read": load.rows_read + rows, "rows_erased": rows}) if rows else load


def _write_raw(work: Batch, batch: int, has_verdicts: bool) -> None:
    kept = ""
    if has_verdicts:
        kept = f"where {keys.ROW_ID} not in (select row_id from verdicts) order by _file_position, _row_number"
    file = stored.raw_file(work.merchant, work.contract.silo, work.contract.table, batch)
    journal.put_in_place(stored.write(work.connection, f"select * from accepted {kept}", file), file)
