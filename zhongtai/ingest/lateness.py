"""Whether a table's files arrive when they are expected, and how many rows came after their business date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from zhongtai.ingest.contract import Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad

_CADENCES = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
}
# Exports are not punctual to the minute: one may be left out.
_CADENCES_ALLOWED = 2


@dataclass(frozen=True)
class Lateness:
    """How a table arrives.

    Attributes:
        contract: the table's.
        last: the file that landed last; None where none ever did.
        late_by: how long ago the next file was expected, where the table is late; else zero.
        rows_late: stored rows of a business date before the latest that the table had when they landed.
    """

    contract: Contract
    last: LandedFile | None
    late_by: timedelta
    rows_late: int

    @property
    def is_late(self) -> bool:
        """Whether the last file landed longer ago than the contract allows."""
        return self.late_by > timedelta(0)

    @property
    def message(self) -> str:
        """What an operator reads."""
        if self.last is None:
            return f"no file has landed that matches {self.contract.file}"
        if not self.is_late:
            return f"{self.last.name} is the last file; expected {self.contract.cadence}"
        overdue = f"{self.late_by.days} days and {self.late_by.seconds // 3600} hours"
        return f"expected {self.contract.cadence}; what follows {self.last.name} is late by {overdue}"


def late_by(contract: Contract, file: LandedFile, now: datetime) -> timedelta:
    """How long ago the file after this one was expected; zero while that is less than another cadence ago.

    Where the contract says how fresh the table must be, that is when it was expected.
    """
    age = now - file.landed_at
    if contract.freshness_hours is not None:
        return max(age - timedelta(hours=contract.freshness_hours), timedelta(0))
    cadence = _CADENCES.get(contract.cadence)
    if cadence is None or age <= _CADENCES_ALLOWED * cadence:
        return timedelta(0)
    return age - cadence


def last_files(log: Iterable[LandedFile]) -> dict[tuple[str, str], LandedFile]:
    """The last file of each (silo, table) that its silo sent; mended rows are no arrival."""
    return {(file.silo, file.table): file for file in log if not file.mends}


def lateness(
    contracts: Iterable[Contract], log: Iterable[LandedFile], loads: Iterable[FileLoad], now: datetime
) -> dict[tuple[str, str], Lateness]:
    """How each table arrives, by (silo, table).

    Args:
        log: what landed.
        loads: what became of it; files that were corrected do not count.
        now: by the clock that noted the arrivals.
    """
    rows: dict[tuple[str, str], int] = {}
    for load in loads:
        if load.holds(None):
            rows[load.silo, load.table] = rows.get((load.silo, load.table), 0) + load.rows_late
    last = last_files(log)
    found = {}
    for contract in contracts:
        table = (contract.silo, contract.table)
        file = last.get(table)
        found[table] = Lateness(
            contract, file, late_by(contract, file, now) if file else timedelta(0), rows.get(table, 0)
        )
    return found
