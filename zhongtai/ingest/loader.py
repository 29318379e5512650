"""Landed files into typed raw Parquet, quarantine and the ledger: one file, one transaction."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from zhongtai.errors import ZhongtaiError
from zhongtai.ingest import faults, journal, keys, landing, ledger, reader
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.csv_stage import FileFault
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.merchant import Merchant
from zhongtai.progress import timed
from zhongtai.sql import connect, quote_identifier, quote_literal, read_parquet, scalar

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class _Work:
    """What the loading of a table's files has in common."""

    connection: duckdb.DuckDBPyConnection
    merchant: Merchant
    contract: Contract
    folder: Path
    hash: str
    replaced_by: int | None


def load_pending(
    merchant: Merchant, contracts: list[Contract], only: set[tuple[str, str]] | None = None
) -> list[FileLoad]:
    """Loads every landed file that the ledger does not have by the contract's current hash, in landing order.

    Killed at any moment and run again, it gives the same content.

    Args:
        only: these (silo, table) pairs, where given.

    Returns:
        The entries of the files that were loaded now, in landing order.

    Raises:
        ZhongtaiError: a landed file is missing or cannot be opened.
    """
    log = landing.read_log(merchant)
    ledger.repair(merchant)
    by_table = {(contract.silo, contract.table): contract for contract in contracts}
    entries: dict[tuple[str, str], dict[int, FileLoad]] = {table: {} for table in by_table}
    for load in ledger.read(merchant):
        entries.setdefault((load.silo, load.table), {})[load.position] = load
    pending: list[LandedFile] = []
    replaced: dict[int, int] = {}
    for table, contract in by_table.items():
        if only is None or table in only:
            files = [file for file in log if (file.silo, file.table) == table]
            if contract.load_mode == "append":
                replaced |= _replacements(files)
            pending += _pending(merchant, files, entries[table], ledger.current_hash(merchant, contract), replaced)
    if not pending:
        return []
    pending.sort(key=lambda file: file.position)
    folder = journal.private_folder(merchant.warehouse) / "ingest"
    shutil.rmtree(folder, ignore_errors=True)  # left by a run that was killed
    journal.private_folder(folder)
    connection = connect(folder / "spill")
    try:
        for file in pending:
            table = (file.silo, file.table)
            current = ledger.current_hash(merchant, by_table[table])
            # A folder a file: DuckDB remembers what it read under a name.
            place = folder / str(file.position)
            work = _Work(connection, merchant, by_table[table], place, current, replaced.get(file.position))
            entries[table].update({load.position: load for load in _load(work, file, entries[table])})
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
    return [entries[file.silo, file.table][file.position] for file in pending]


def raw_file(merchant: Merchant, silo: str, table: str, position: int) -> Path:
    """The Parquet file of a landed file's stored rows."""
    return merchant.raw / silo / table / f"{position:08d}.parquet"


def quarantine_file(merchant: Merchant, silo: str, table: str, position: int) -> Path:
    """The Parquet file of a landed file's rejected rows; it exists where there are any."""
    return merchant.quarantine / silo / table / f"{position:08d}.parquet"


def _replacements(files: list[LandedFile]) -> dict[int, int]:
    """The position of the file that corrects a file, for those that were landed again from the same place."""
    last = {file.source.path: file.position for file in files}
    following: dict[str, int] = {}
    replaced: dict[int, int] = {}
    for file in reversed(files):
        if file.position != last[file.source.path]:
            replaced[file.position] = following[file.source.path]
        following[file.source.path] = file.position
    return replaced


def _pending(
    merchant: Merchant,
    files: list[LandedFile],
    entries: dict[int, FileLoad],
    current: str,
    replaced: dict[int, int],
) -> list[LandedFile]:
    """The files to load. A file depends on all before it: a gap makes the whole table pending."""

    def is_stale(file: LandedFile) -> bool:
        entry = entries.get(file.position)
        if entry is None or entry.contract_hash != current:
            return True
        return entry.replaced_by != replaced.get(file.position)

    stale = [file for file in files if is_stale(file)]
    after_gap = [file for file in files if stale and file.position > stale[0].position and not is_stale(file)]
    if not after_gap:
        return stale
    forgotten = [
        entries[file.position].model_copy(update={"contract_hash": ""}) for file in files if not is_stale(file)
    ]
    ledger.append(merchant, forgotten)
    for load in forgotten:
        entries[load.position] = load
    return files


def _load(work: _Work, file: LandedFile, entries: dict[int, FileLoad]) -> list[FileLoad]:
    """Loads one file, and returns the entries that this changed: the file's own is the last."""
    landed = work.merchant.landing / file.path
    if not landed.is_file():
        raise ZhongtaiError(f"{landed} has landed but is gone. Restore it from a backup.")
    earlier = [
        load
        for load in entries.values()
        if load.position < file.position
        and load.contract_hash == work.hash
        and load.status == "loaded"
        and load.replaced_by is None
    ]
    journal.private_folder(work.folder)
    with timed("ingest", f"{file.silo}.{file.table}") as progress:
        try:
            changed = _load_rows(work, _new_entry(work, file), landed, earlier)
        except FileFault as fault:
            changed = [_quarantine_whole(work, file, fault)]
        progress.rows = changed[-1].rows_read
        progress.note = _note(changed[-1])
    shutil.rmtree(work.folder)
    return changed


def _new_entry(work: _Work, file: LandedFile) -> FileLoad:
    return FileLoad(
        position=file.position,
        silo=file.silo,
        table=file.table,
        file=file.name,
        contract_hash=work.hash,
        replaced_by=work.replaced_by,
    )


def _load_rows(work: _Work, entry: FileLoad, landed: Path, earlier: list[FileLoad]) -> list[FileLoad]:
    import duckdb

    try:
        types = reader.stage(work.connection, work.contract, landed, work.folder)
        superseded = _store(work, entry, types, earlier)
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException):
        reader.check_readable(work.connection, work.contract, landed)
        raise
    changed = [_with_superseded(load, superseded[load.position]) for load in earlier if load.position in superseded]
    ledger.append(work.merchant, [*changed, entry])
    if not entry.rows_quarantined:  # of an earlier load by another contract
        quarantine_file(work.merchant, entry.silo, entry.table, entry.position).unlink(missing_ok=True)
    return [*changed, entry]


def _store(work: _Work, entry: FileLoad, types: list[str], earlier: list[FileLoad]) -> dict[int, int]:
    """Writes what is staged to raw and quarantine, and fills the entry's counts.

    Returns:
        How many rows of earlier files are superseded now, by position.
    """
    work.connection.execute(faults.typed_view(work.contract, types, work.merchant.time_zone))
    work.connection.execute(faults.accepted_view(work.contract))
    read, faulty = _measure(work)
    stored = [raw_file(work.merchant, load.silo, load.table, load.position) for load in earlier]
    superseded = keys.judge(work.connection, work.contract, entry.position, stored)
    verdicts = dict(work.connection.execute("select verdict, count(*) from verdicts group by verdict").fetchall())
    _write_raw(work, entry, bool(verdicts))
    entry.rows_read = read
    entry.rows_quarantined = faulty + verdicts.get("key_conflict", 0)
    entry.rows_duplicate = verdicts.get("duplicate", 0)
    entry.rows_superseded = superseded.pop(entry.position, 0)
    entry.rows_loaded = read - entry.rows_quarantined - entry.rows_duplicate - entry.rows_superseded
    if entry.replaced_by is not None:
        entry.rows_superseded, entry.rows_loaded = entry.rows_superseded + entry.rows_loaded, 0
    if entry.rows_quarantined:
        entry.quarantined_dates = _write_quarantine(work, entry, earlier)
    entry.first_event_at, entry.last_event_at = _event_range(work, entry)
    return superseded


def _measure(work: _Work) -> tuple[int, int]:
    """Rows of the file, and how many of them have a fault."""
    read = scalar(work.connection, "select count(*) from staged")
    return read, read - scalar(work.connection, "select count(*) from accepted")


def _with_superseded(load: FileLoad, rows: int) -> FileLoad:
    return load.model_copy(
        update={"rows_loaded": load.rows_loaded - rows, "rows_superseded": load.rows_superseded + rows}
    )


def _write_raw(work: _Work, entry: FileLoad, has_verdicts: bool) -> None:
    kept = ""
    if has_verdicts:
        kept = "where _row_number not in (select _row_number from verdicts) order by _row_number"
    columns = ", ".join(quote_identifier(column.name) for column in work.contract.columns)
    _copy(
        work,
        f"select {columns}, _extra, cast({entry.position} as integer) as _file_position, _row_number "
        f"from accepted {kept}",
        raw_file(work.merchant, entry.silo, entry.table, entry.position),
    )


def _write_quarantine(work: _Work, entry: FileLoad, earlier: list[FileLoad]) -> dict[date, int]:
    """Writes the rejected rows with their reasons; returns their number by business date."""
    names = [(load.position, load.file) for load in [*earlier, entry]]
    values = ", ".join(f"({position}, {quote_literal(name)})" for position, name in names)
    contract = work.contract
    conflict = quote_literal(f"other values under the same key ({', '.join(contract.key)}) than ")
    query = f"""
        with files(position, name) as (values {values}),
        conflicts as (
            select verdicts._row_number as conflict_row,
                [{{'column_name': {quote_literal(contract.key[0])}, 'reason': 'key_conflict',
                    'message': {conflict} || files.name || ' row ' || verdicts.other_row}}] as conflict
            from verdicts inner join files on files.position = verdicts.other_position
            where verdict = 'key_conflict'
        ),
        rejected as (
            select *, coalesce(conflict, {faults.fault_list(contract)}) as fault_list
            from typed left join conflicts on typed._row_number = conflicts.conflict_row
            where is_faulty or conflict_row is not null
        )
        select
            cast({entry.position} as bigint) as position,
            {quote_literal(entry.silo)} as silo,
            {quote_literal(entry.table)} as table_name,
            {quote_literal(entry.file)} as file,
            _row_number as row_number,
            _line_number as line_number,
            fault_list[1].column_name as column_name,
            fault_list[1].reason as reason,
            fault_list[1].message as message,
            fault_list as faults,
            {faults.row_text(contract)} as row_text,
            {faults.business_date(contract, work.merchant.time_zone)} as business_date
        from rejected
        order by row_number
    """
    file = quarantine_file(work.merchant, entry.silo, entry.table, entry.position)
    _copy(work, query, file)
    dates = work.connection.execute(
        f"select business_date, count(*) from {read_parquet([file])} "
        "where business_date is not null group by business_date order by business_date"
    ).fetchall()
    return {day: int(rows) for day, rows in dates}


def _copy(work: _Work, query: str, file: Path) -> None:
    for folder in (file.parents[2], file.parents[1], file.parent):
        journal.private_folder(folder)
    temporary = file.with_name(f".{file.name}.tmp")
    work.connection.execute(f"copy ({query}) to {quote_literal(str(temporary))} (format parquet, compression zstd)")
    journal.put_in_place(temporary, file)


def _event_range(work: _Work, entry: FileLoad) -> tuple[datetime | None, datetime | None]:
    """The first and last moment of the stored rows; a date lasts from its local start to its local end."""
    if work.contract.event_time is None:
        return None, None
    file = raw_file(work.merchant, entry.silo, entry.table, entry.position)
    name = quote_identifier(work.contract.event_time)
    row = work.connection.execute(f"select min({name}), max({name}) from {read_parquet([file])}").fetchone()
    if row is None or row[0] is None:
        return None, None
    first, last = row
    if isinstance(first, datetime):
        return first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    zone = ZoneInfo(work.merchant.time_zone)
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(microseconds=1)
    return start, end


def _quarantine_whole(work: _Work, file: LandedFile, fault: FileFault) -> FileLoad:
    whole = _new_entry(work, file)
    whole.status, whole.reason = "quarantined", str(fault)
    whole.rows_read = whole.rows_quarantined = fault.rows
    ledger.append(work.merchant, [whole])
    # Of an earlier load by another contract; nothing refers to them any more.
    raw_file(work.merchant, file.silo, file.table, file.position).unlink(missing_ok=True)
    quarantine_file(work.merchant, file.silo, file.table, file.position).unlink(missing_ok=True)
    return whole


def _note(load: FileLoad) -> str:
    if load.status == "quarantined":
        return f"whole file quarantined: {load.reason}"
    counts = {
        "quarantined": load.rows_quarantined,
        "duplicate": load.rows_duplicate,
        "superseded": load.rows_superseded,
    }
    return ", ".join(f"{rows:,} {name}" for name, rows in counts.items() if rows)
