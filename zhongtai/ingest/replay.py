"""Rejected rows loaded after all: by a contract that was mended, or from an export that was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from zhongtai import lock
from zhongtai.erasure import erasures
from zhongtai.errors import UsageError
from zhongtai.ingest import exported, inbox, landing, ledger, loader, mended_forms, originals, quarantine
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.exported import MendedRow
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.row_numbers import format_numbers
from zhongtai.merchant import Merchant

Place = tuple[int, int]  # position of the file, number of the row
_WHOLE = 0  # in place of a row's number: the file as a whole


class Waiting(NamedTuple):
    """What of a table is rejected.

    Attributes:
        rows: of files that are loaded.
        files: that are rejected as a whole.
    """

    rows: int
    files: int

    @classmethod
    def of(cls, places: set[Place]) -> Waiting:
        """Counts places of rejected rows, of which number 0 is a file's."""
        files = sum(number == _WHOLE for _, number in places)
        return cls(len(places) - files, files)


@dataclass(frozen=True)
class Reloaded:
    """What a table's files gave when they were loaded by the contract as it is now.

    Attributes:
        files: that were loaded again.
        before: what was rejected before.
        mended: how much of that is not any more.
        rejected: what is rejected now, of before and else.
    """

    files: int
    before: Waiting
    mended: Waiting
    rejected: Waiting


@dataclass
class Replayed:
    """What became of a mended export.

    Attributes:
        unchanged: rows that nobody mended; they wait on.
        known: rows that were mended before, or are not in quarantine any more.
        load: the new file's entry in the ledger; None where there was nothing to land.
    """

    unchanged: int = 0
    known: int = 0
    load: FileLoad | None = None
    lines: list[int] = field(default_factory=list)


def reload(merchant: Merchant, contracts: list[Contract], contract: Contract) -> Reloaded:
    """Loads the table's landed files again, where its contract changed since.

    Raises:
        BusyError: a run is going on.
    """
    with lock.hold(merchant, f"replay of {contract.silo}.{contract.table}"):
        landing.repair(merchant)  # what a killed replay landed
        before = _places(merchant, contract)
        loads = loader.load_pending(merchant, contracts, {(contract.silo, contract.table)})
        now = _places(merchant, contract)
    return Reloaded(len(loads), Waiting.of(before), Waiting.of(before - now), Waiting.of(now))


def replay(merchant: Merchant, contracts: list[Contract], contract: Contract, file: Path) -> Replayed:
    """Lands the rows of a mended export as a new file of the table, and loads it.

    Once: rows that were mended before, and rows that are as they were exported, are left out. What is still wrong is
    in quarantine again, at its place in the new file.

    Raises:
        UsageError: not an export of this table, or one whose rows have no place in the table's order.
        BusyError: a run is going on.
    """
    if inbox.is_by_order(contract):
        raise UsageError(
            f"{contract.silo}.{contract.table} has no version column, so what lands last holds: a mended row would "
            "take the place of newer ones. Correct the file at its source; it then lands again."
        )
    rows = exported.read(contract, file)
    with lock.hold(merchant, f"replay of {contract.silo}.{contract.table}"):
        landing.repair(merchant)  # what a killed replay landed
        loader.load_pending(merchant, contracts, {(contract.silo, contract.table)})
        result = Replayed()
        waiting = _places(merchant, contract)
        _check_files(merchant, contract, file, rows)
        new = [row for row in rows if (row.position, row.number) in waiting]
        result.known = len(rows) - len(new)
        changed = _changed(merchant, contract, new)
        result.unchanged = len(new) - len(changed)
        if changed:
            result.lines = [row.line for row in changed]
            result.load = _land(merchant, contracts, contract, changed)
    return result


def _land(merchant: Merchant, contracts: list[Contract], contract: Contract, rows: list[MendedRow]) -> FileLoad:
    numbers: dict[int, list[int]] = {}
    for row in rows:
        numbers.setdefault(row.position, []).append(row.number)
    mends = {position: format_numbers(mine) for position, mine in sorted(numbers.items())}
    name = hashlib.sha256(repr(mends).encode()).hexdigest()[:8]
    values = [row.values | row.extra for row in rows]
    landed = landing.land_mended(
        merchant,
        contract.silo,
        contract.table,
        f"mended-{name}{mended_forms.ending(contract)}",
        lambda target: mended_forms.write(contract, values, target),
        mends,
    )
    loads = loader.load_pending(merchant, contracts, {(contract.silo, contract.table)})
    return next(load for load in loads if load.position == landed.position)


def _places(merchant: Merchant, contract: Contract) -> set[Place]:
    """Where the table's rejected rows are that wait, and the files that are rejected as a whole."""
    rows = quarantine.waiting_rows(merchant, contract.silo, contract.table)
    places = {(int(str(row["position"])), int(str(row["row_number"]))) for row in rows}
    whole = quarantine.degraded(merchant).get((contract.silo, contract.table), [])
    return places | {(load.position, _WHOLE) for load in whole}


def _check_files(merchant: Merchant, contract: Contract, file: Path, rows: list[MendedRow]) -> None:
    """Every row must be of a file of this table, and be called as it is now."""
    erased = erasures.times_erased(merchant)
    own = {
        load.position for load in ledger.read(merchant) if (load.silo, load.table) == (contract.silo, contract.table)
    }
    for row in rows:
        if row.position not in own:
            raise UsageError(
                f"{file}, line {row.line}: no file with the number {row.position} has landed for "
                f"{contract.silo}.{contract.table}. Is it another table's export?"
            )
        if row.times_erased != erased.get(row.position, 0):
            raise UsageError(
                f"{file}, line {row.line}: a person was erased from file {row.position} since this was exported, so "
                "its rows have other numbers now. Export again, and mend that."
            )


def _changed(merchant: Merchant, contract: Contract, rows: list[MendedRow]) -> list[MendedRow]:
    """The rows that differ from the records in landing."""
    files = {file.position: merchant.landing / file.path for file in landing.read_log(merchant)}
    wanted: dict[int, list[int]] = {}
    for row in rows:
        wanted.setdefault(row.position, []).append(row.number)
    before = {
        (position, record.number): record
        for position, numbers in wanted.items()
        for record in originals.originals(contract, files[position], sorted(numbers))
    }

    def is_changed(row: MendedRow) -> bool:
        values, _ = exported.record_values(contract, before[row.position, row.number])
        return [_plain(value) for value in values] != [_plain(value) for value in row.values.values()]

    return [row for row in rows if is_changed(row)]


def _plain(value: str | None) -> str:
    """A value without what a spreadsheet may change of it."""
    return (value or "").replace("\r\n", "\n").replace("\r", "\n").strip()
