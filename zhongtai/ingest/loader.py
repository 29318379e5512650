"""Landed files into typed raw Parquet, quarantine and the ledger, many files of a table together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from zhongtai.errors import ZhongtaiError
from zhongtai.ingest import batch, journal, json_stage, landing, ledger, personal, personal_key, stored
from zhongtai.ingest.batch import Batch
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.merchant import Merchant
from zhongtai.progress import timed
from zhongtai.sql import connect

# What is loaded together: many small files, or one large one.
_BATCH_FILES = 1_000
_BATCH_BYTES = 1 << 28
_UNPACKED = 8  # times its size that a packed file is guessed to have


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
        UsageError: a contract has personal columns, and there is no key to make tokens with.
    """
    personal_key.protect(merchant, contracts)
    ledger.repair(merchant)
    landed: dict[tuple[str, str], list[LandedFile]] = {}
    for file in landing.read_log(merchant):
        landed.setdefault((file.silo, file.table), []).append(file)
    entries: dict[tuple[str, str], dict[int, FileLoad]] = {}
    for load in ledger.read(merchant):
        entries.setdefault((load.silo, load.table), {})[load.position] = load
    loaded: list[FileLoad] = []
    for contract in contracts:
        table = (contract.silo, contract.table)
        if only is None or table in only:
            known = entries.get(table, {})
            pending = _load_table(merchant, contract, landed.get(table, []), known)
            loaded += [known[file.position] for file in pending]
    return sorted(loaded, key=lambda load: load.position)


def _load_table(
    merchant: Merchant, contract: Contract, files: list[LandedFile], entries: dict[int, FileLoad]
) -> list[LandedFile]:
    """Loads a table's pending files, and updates its entries.

    A file corrects another only if it can be read. So one that is new is loaded beside the one that it corrects, and
    the table anew without that one only then.
    """
    current = ledger.current_hash(merchant, contract)
    loaded: dict[int, LandedFile] = {}
    while True:
        corrects = contract.load_mode in ("append", "snapshot")
        replaced = _replacements(files, _readable(entries, current)) if corrects else {}
        pending = _pending(merchant, files, entries, current, replaced)
        if not pending:
            return [loaded[position] for position in sorted(loaded)]
        _load_files(merchant, contract, current, pending, replaced, entries)
        loaded |= {file.position: file for file in pending}


def _load_files(
    merchant: Merchant,
    contract: Contract,
    current: str,
    pending: list[LandedFile],
    replaced: dict[int, int],
    entries: dict[int, FileLoad],
) -> None:
    """Loads files of a table in batches, and updates its entries."""
    # A folder a table: DuckDB remembers what it read under a name.
    folder = journal.private_folder(merchant.warehouse) / "ingest" / contract.silo / contract.table
    shutil.rmtree(folder, ignore_errors=True)  # left by a run that was killed
    folder.mkdir(parents=True)
    connection = connect(folder / "spill", json_stage.LEAST_THREADS if contract.format == "jsonl" else 1)
    try:
        if contract.is_tokenised:
            personal.set_key(connection, personal_key.key(merchant))
        for together in _batches(pending, replaced):
            work = Batch(connection, merchant, contract, folder / str(together[0].position), current)
            with timed("ingest", f"{contract.silo}.{contract.table}") as progress:
                changed = batch.load(work, [_paths(merchant, file) for file in together], replaced, entries)
                entries.update({load.position: load for load in changed})
                mine = [entries[file.position] for file in together]
                progress.rows = sum(load.rows_read for load in mine)
                progress.note = _note(mine)
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
    stored.remove_unreferenced(merchant, contract, entries.values())


def _paths(merchant: Merchant, file: LandedFile) -> tuple[LandedFile, Path]:
    landed = merchant.landing / file.path
    if not landed.is_file():
        raise ZhongtaiError(f"{landed} has landed but is gone. Restore it from a backup.")
    return file, landed


def _readable(entries: dict[int, FileLoad], current: str) -> dict[int, bool]:
    """Whether a file could be read, of those that were loaded by the contract's current hash."""
    known = [entry for entry in entries.values() if entry.contract_hash == current]
    return {entry.position: entry.status == "loaded" for entry in known}


def _replacements(files: list[LandedFile], readable: dict[int, bool]) -> dict[int, int]:
    """The position of the file that corrects a file, for those that were landed again from the same place.

    What can be read holds until another that can be read is there; what cannot, until another is there. Of files of
    which nothing is known yet it is supposed that they can be read.
    """
    following: dict[str, list[int]] = {}
    replaced: dict[int, int] = {}
    for file in reversed(files):
        later = following.setdefault(file.source.path, [])
        # The nearest; `later` falls.
        for position in reversed(later):
            is_sure = readable.get(position, file.position not in readable)
            if is_sure or not readable.get(file.position, True):
                replaced[file.position] = position
                break
        later.append(file.position)
    return replaced


def _pending(
    merchant: Merchant,
    files: list[LandedFile],
    entries: dict[int, FileLoad],
    current: str,
    replaced: dict[int, int],
) -> list[LandedFile]:
    """The files to load. A file depends on all before it and on its batch: a gap makes the whole table pending."""

    def is_stale(file: LandedFile) -> bool:
        entry = entries.get(file.position)
        if entry is None or entry.contract_hash != current:
            return True
        return entry.replaced_by != replaced.get(file.position)

    stale = [file for file in files if is_stale(file)]
    held = [file for file in files if not is_stale(file)]
    batches = {entries[file.position].batch for file in held}
    is_gap = any(stale and file.position > stale[0].position for file in held) or any(
        file.position in entries
        and entries[file.position].contract_hash == current
        and entries[file.position].batch in batches
        for file in stale
    )
    if not is_gap:
        return stale
    forgotten = [entries[file.position].model_copy(update={"contract_hash": ""}) for file in held]
    ledger.append(merchant, forgotten)
    entries.update({load.position: load for load in forgotten})
    return files


def _batches(pending: list[LandedFile], replaced: dict[int, int]) -> Iterator[list[LandedFile]]:
    """Runs of files to load together; one that is replaced is alone, because no other row is judged against its."""
    together: list[LandedFile] = []
    size = 0
    for file in pending:
        packed = file.name.endswith((".gz", ".zip", ".xlsx"))
        expected = file.size_bytes * (_UNPACKED if packed else 1)
        is_alone = file.position in replaced
        if together and (is_alone or len(together) >= _BATCH_FILES or size + expected > _BATCH_BYTES):
            yield together
            together, size = [], 0
        together.append(file)
        size += expected
        if is_alone:
            yield together
            together, size = [], 0
    if together:
        yield together


def _note(loads: list[FileLoad]) -> str:
    whole = [load for load in loads if load.status == "quarantined"]
    counts = {
        "quarantined": sum(load.rows_quarantined for load in loads),
        "duplicate": sum(load.rows_duplicate for load in loads),
        "superseded": sum(load.rows_superseded for load in loads),
    }
    notes = [f"{len(loads):,} files"] if len(loads) > 1 else []
    notes += [f"{rows:,} {name}" for name, rows in counts.items() if rows]
    if whole:
        others = f" and {len(whole) - 1} more" if len(whole) > 1 else ""
        notes.append(f"whole file quarantined: {whole[0].file}{others}: {whole[0].reason}")
    return ", ".join(notes)
