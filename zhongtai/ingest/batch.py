"""One batch of a table's files: cast, judged, stored and counted together."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from zhongtai.ingest import faults, journal, keys, ledger, parquet_stage, reader
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.reader import Staged
from zhongtai.ingest.unpack import FileFault
from zhongtai.merchant import Merchant
from zhongtai.sql import quote_identifier, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb


_NAMED_ROWS = 10_000
# Beyond these, dates have no place in Python's calendar in some time zone.
_FIRST_DAY, _LAST_DAY = "date '0002-01-01'", "date '9998-12-31'"


@dataclass(frozen=True)
class Batch:
    """What the loading of files together needs.

    Attributes:
        folder: for temporary files.
        hash: `ledger.current_hash` of the contract.
    """

    connection: duckdb.DuckDBPyConnection
    merchant: Merchant
    contract: Contract
    folder: Path
    hash: str


def raw_file(merchant: Merchant, silo: str, table: str, batch: int) -> Path:
    """The Parquet file of a batch's stored rows; `_file_position` tells their files apart."""
    return merchant.raw / silo / table / f"{batch:08d}.parquet"


def quarantine_file(merchant: Merchant, silo: str, table: str, batch: int) -> Path:
    """The Parquet file of a batch's rejected rows; it exists where there are any."""
    return merchant.quarantine / silo / table / f"{batch:08d}.parquet"


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
    new = {file.position: _new_entry(work, file, replaced) for file, _ in files}
    held = _held_before(work, entries, files[0][0].position)
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


def remove_unreferenced(merchant: Merchant, contract: Contract, entries: Iterable[FileLoad]) -> None:
    """Removes raw and quarantine files that no entry refers to any more."""
    loaded = [entry for entry in entries if entry.status == "loaded"]
    stored = {raw_file(merchant, contract.silo, contract.table, entry.batch) for entry in loaded}
    rejected = {
        quarantine_file(merchant, contract.silo, contract.table, entry.batch)
        for entry in loaded
        if entry.rows_quarantined
    }
    for folder, kept in ((merchant.raw, stored), (merchant.quarantine, rejected)):
        for file in (folder / contract.silo / contract.table).glob("*.parquet"):
            if file not in kept:
                file.unlink()


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
    """Stages and stores what is readable; returns every entry that changed."""
    staged, found = reader.stage(work.connection, work.contract, paths, work.folder)
    changed: dict[int, FileLoad] = {}
    so_far = dict(held)
    for part in staged:
        files = [new[position].model_copy(update={"batch": part.positions[0]}) for position in part.positions]
        for entry in _store(work, part, files, so_far, paths):
            changed[entry.position] = entry
        so_far |= {position: entry for position, entry in changed.items() if entry.replaced_by is None}
    for position, fault in (found | broken).items():
        rows = {"rows_read": fault.rows, "rows_quarantined": fault.rows}
        update = {"status": "quarantined", "reason": str(fault), "batch": position, **rows}
        changed[position] = new[position].model_copy(update=update)
    return [changed[position] for position in sorted(changed)]


def _store(
    work: Batch, part: Staged, files: list[FileLoad], held: dict[int, FileLoad], paths: dict[int, Path]
) -> list[FileLoad]:
    """Writes what is staged to raw and quarantine; returns the files' entries and the earlier ones that changed."""
    import duckdb

    connection = work.connection
    try:
        connection.execute(f"create or replace temp view staged as {part.query}")
        connection.execute(faults.typed_view(work.contract, part.types, work.merchant.time_zone))
        connection.execute(faults.accepted_view(work.contract, len(files)))
        read, accepted = _rows_by_file(connection, "staged"), _rows_by_file(connection, "accepted")
        stored = {raw_file(work.merchant, entry.silo, entry.table, entry.batch) for entry in held.values()}
        superseded = keys.judge(connection, work.contract, sorted(stored))
        verdicts = _verdicts(connection)
        _write_raw(work, files[0].batch, bool(verdicts))
    except (duckdb.OutOfMemoryException, duckdb.InternalException, duckdb.FatalException):
        raise  # no file's fault
    except duckdb.Error as error:
        unreadable = _unreadable(work, {entry.position: paths[entry.position] for entry in files})
        if unreadable:
            raise _Unreadable(unreadable) from error
        raise
    for entry in files:
        rows = read.get(entry.position, 0)
        mine = verdicts.get(entry.position, {})
        entry.rows_read = rows
        entry.rows_quarantined = rows - accepted.get(entry.position, 0) + mine.get("key_conflict", 0)
        entry.rows_duplicate = mine.get("duplicate", 0)
        entry.rows_superseded = superseded.pop(entry.position, 0)
        entry.rows_loaded = rows - entry.rows_quarantined - entry.rows_duplicate - entry.rows_superseded
        if entry.replaced_by is not None:
            entry.rows_superseded, entry.rows_loaded = entry.rows_superseded + entry.rows_loaded, 0
    if any(entry.rows_quarantined for entry in files):
        _write_quarantine(work, part.types, files, held)
    _set_event_ranges(work, files)
    return [*(_with_superseded(held[position], rows) for position, rows in superseded.items()), *files]


def _unreadable(work: Batch, paths: dict[int, Path]) -> dict[int, FileFault]:
    """The files that cannot be read to their end; text was read whole before."""
    found: dict[int, FileFault] = {}
    if work.contract.format == "parquet":
        for position, path in paths.items():
            try:
                parquet_stage.check_readable(work.connection, path)
            except FileFault as fault:
                found[position] = fault
    return found


def _rows_by_file(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[int, int]:
    return dict(
        connection.execute(f"select _file_position, count(*) from {relation} group by _file_position").fetchall()
    )


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


def _write_raw(work: Batch, batch: int, has_verdicts: bool) -> None:
    kept = ""
    if has_verdicts:
        kept = f"where {keys.ROW_ID} not in (select row_id from verdicts) order by _file_position, _row_number"
    columns = ", ".join(quote_identifier(column.name) for column in work.contract.columns)
    _copy(
        work,
        f"select {columns}, _extra, cast(_file_position as integer) as _file_position, _row_number "
        f"from accepted {kept}",
        raw_file(work.merchant, work.contract.silo, work.contract.table, batch),
    )


def _write_quarantine(work: Batch, types: list[str], files: list[FileLoad], held: dict[int, FileLoad]) -> None:
    """Writes the rejected rows with their reasons, and counts them by business date."""
    contract = work.contract
    rows = f"(select * from staged where {_rejected(work.connection, files)})"
    work.connection.execute(faults.typed_view(contract, types, work.merchant.time_zone, rows))
    names = ", ".join(f"({entry.position}, {quote_literal(entry.file)})" for entry in [*held.values(), *files])
    conflict = quote_literal(f"other values under the same key ({', '.join(contract.key)}) than ")
    other_position, other_row = keys.place_of("verdicts.other_id")
    query = f"""
        with files(position, name) as (values {names}),
        conflicts as (
            select verdicts.row_id as conflict_id,
                [{{'column_name': {quote_literal(contract.key[0])}, 'reason': 'key_conflict',
                    'message': {conflict} || files.name || ' row ' || {other_row}}}] as conflict
            from verdicts inner join files on files.position = {other_position}
            where verdict = 'key_conflict'
        ),
        rejected as (
            select *, coalesce(conflict, {faults.fault_list(contract)}) as fault_list
            from typed left join conflicts on {keys.ROW_ID} = conflicts.conflict_id
            where is_faulty or conflict_id is not null
        )
        select
            cast(_file_position as bigint) as position,
            {quote_literal(contract.silo)} as silo,
            {quote_literal(contract.table)} as table_name,
            files.name as file,
            _row_number as row_number,
            _line_number as line_number,
            fault_list[1].column_name as column_name,
            fault_list[1].reason as reason,
            fault_list[1].message as message,
            fault_list as faults,
            {faults.row_text(contract)} as row_text,
            {faults.business_date(contract, work.merchant.time_zone)} as business_date
        from rejected inner join files on files.position = rejected._file_position
        order by position, row_number
    """
    file = quarantine_file(work.merchant, contract.silo, contract.table, files[0].batch)
    _copy(work, query, file)
    counts: dict[int, dict[date, int]] = {}
    for position, day, rows in work.connection.execute(
        f"select position, business_date, count(*) from {read_parquet([file])} "
        f"where business_date between {_FIRST_DAY} and {_LAST_DAY} "
        "group by position, business_date order by position, business_date"
    ).fetchall():
        counts.setdefault(int(position), {})[day] = int(rows)
    for entry in files:
        entry.quarantined_dates = counts.get(entry.position, {})


def _rejected(connection: duckdb.DuckDBPyConnection, files: list[FileLoad]) -> str:
    """SQL of the condition on `staged` of rows that are faulty or in conflict.

    A few are named, so that the others are not cast once more.
    """
    connection.execute(
        f"""
        create or replace temp table rejected_rows as
        select {keys.ROW_ID} as row_id from staged anti join accepted using (_file_position, _row_number)
        union all
        select row_id from verdicts where verdict = 'key_conflict'
        """
    )
    ids = connection.execute(f"select row_id from rejected_rows limit {_NAMED_ROWS + 1}").fetchall()
    if len(ids) > _NAMED_ROWS:
        return f"{keys.ROW_ID} in (select row_id from rejected_rows)"
    positions = ", ".join(str(entry.position) for entry in files if entry.rows_quarantined)
    named = ", ".join(str(row_id) for (row_id,) in ids)
    return f"_file_position in ({positions}) and {keys.ROW_ID} in ({named})"


def _copy(work: Batch, query: str, file: Path) -> None:
    for folder in (file.parents[2], file.parents[1], file.parent):
        journal.private_folder(folder)
    temporary = file.with_name(f".{file.name}.tmp")
    work.connection.execute(f"copy ({query}) to {quote_literal(str(temporary))} (format parquet, compression zstd)")
    journal.put_in_place(temporary, file)


def _set_event_ranges(work: Batch, files: list[FileLoad]) -> None:
    """The first and last moment of each file's stored rows; a date lasts from its local start to its local end."""
    if work.contract.event_time is None:
        return
    file = raw_file(work.merchant, work.contract.silo, work.contract.table, files[0].batch)
    name = quote_identifier(work.contract.event_time)
    ranges = {
        int(position): (first, last)
        for position, first, last in work.connection.execute(
            f"select _file_position, min({name}), max({name}) from {read_parquet([file])} "
            f"where {name} between {_FIRST_DAY} and {_LAST_DAY} group by _file_position"
        ).fetchall()
    }
    for entry in files:
        first, last = ranges.get(entry.position, (None, None))
        if first is not None:
            entry.first_event_at, entry.last_event_at = _moments(first, last, ZoneInfo(work.merchant.time_zone))


def _moments(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if isinstance(first, datetime) and isinstance(last, datetime):
        return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(microseconds=1)
    return start, end
