"""The ledger: what became of every landed file, a line a load; the last line of a position holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from zhongtai.ingest import journal, personal_key
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant

# Raise it when the loader turns the same file into something else: every file is then loaded again.
LOADER_VERSION = 7


class FileLoad(BaseModel):
    """What became of one landed file. Positions start at 1; counts are rows.

    Attributes:
        contract_hash: `current_hash` of the contract that it was loaded by.
        batch: the first position of the files that were loaded together; it names their files in raw and quarantine.
        status: quarantined when the file as a whole is; its rows, where they can be counted, are all quarantined.
        reason: why the file as a whole is quarantined.
        rows_superseded: rows kept in raw as history whose key has a newer version, here or in a later file.
        rows_late: rows in raw of a business date before the latest that the table had when the file landed.
        first_event_at, last_event_at: UTC, over the rows in raw; a date counts from its local start to its local end.
        quarantined_dates: quarantined rows by business date, of those whose event time can be read; of a file that is
            quarantined as a whole, the date in its name, with one row at least.
        replaced_by: position of a later file from the same place, of a table whose rows are only appended: the later
            one is its correction, and none of its rows holds any more.
    """

    position: int
    silo: str
    table: str
    file: str
    contract_hash: str
    batch: int = 0
    status: Literal["loaded", "quarantined"] = "loaded"
    reason: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    rows_superseded: int = 0
    rows_erased: int = 0
    rows_late: int = 0
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    quarantined_dates: dict[date, int] = {}
    replaced_by: int | None = None

    @property
    def adds_up(self) -> bool:
        """Whether every row read is accounted for."""
        return self.rows_read == (
            self.rows_loaded + self.rows_quarantined + self.rows_duplicate + self.rows_superseded + self.rows_erased
        )

    @property
    def is_waiting(self) -> bool:
        """Whether the file is quarantined as a whole, and no later one corrects it."""
        return self.status == "quarantined" and self.replaced_by is None

    def holds(self, known_at: int | None) -> bool:
        """Whether the file is known at a landing position (None for the last) and not yet replaced there."""
        if known_at is None:
            return self.replaced_by is None
        return self.position <= known_at and (self.replaced_by is None or self.replaced_by > known_at)


class TableTotals(BaseModel):
    """The counts of a table's files together.

    Attributes:
        files_rejected: quarantined as a whole, and not corrected by a later file: the table is degraded.
    """

    files: int = 0
    files_rejected: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    rows_superseded: int = 0
    rows_erased: int = 0


def read(merchant: Merchant) -> list[FileLoad]:
    """The holding entry of every position, in landing order."""
    last: dict[int, FileLoad] = {}
    for entry in journal.read(_file(merchant)):
        load = FileLoad.model_validate(entry)
        last[load.position] = load
    return [last[position] for position in sorted(last)]


def append(merchant: Merchant, loads: list[FileLoad]) -> None:
    """Records loads in one write. Call `repair` before the first of a process."""
    journal.append(_file(merchant), [load.model_dump(mode="json") for load in loads])


def repair(merchant: Merchant) -> None:
    """Makes the raw folder ready, and cuts off what a killed write left at the ledger's end."""
    journal.private_folder(merchant.raw)
    journal.repair(_file(merchant))


def current_hash(merchant: Merchant, contract: Contract) -> str:
    """Changes when the contract, the merchant's clock or key, or the loader does: the file is then loaded again."""
    text = f"{contract.hash} {merchant.time_zone} {LOADER_VERSION} {personal_key.fingerprint(merchant, contract)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def table_totals(loads: Iterable[FileLoad]) -> dict[tuple[str, str], TableTotals]:
    """Files and counts for each (silo, table)."""
    totals: dict[tuple[str, str], TableTotals] = {}
    for load in loads:
        total = totals.setdefault((load.silo, load.table), TableTotals())
        total.files += 1
        total.files_rejected += load.is_waiting
        for count in TableTotals.model_fields:
            if count.startswith("rows_"):
                setattr(total, count, getattr(total, count) + getattr(load, count))
    return totals


def latest_moment(loads: Iterable[FileLoad], contracts: list[Contract], known_at: int | None = None) -> datetime | None:
    """The latest moment (UTC) that landed data cover.

    A date as event time says nothing about the hour, so it does not count while any table has timestamps; where
    none has, it is the end of the local day.

    Args:
        known_at: only files up to this position, where given.
    """
    types = {
        (contract.silo, contract.table): contract.column(contract.event_time).data_type
        for contract in contracts
        if contract.event_time
    }
    moments: dict[str, list[datetime]] = {"timestamp": [], "date": []}
    for load in loads:
        kind = types.get((load.silo, load.table))
        if kind and load.last_event_at and load.holds(known_at):
            moments[kind].append(load.last_event_at.astimezone(UTC))
    return max(moments["timestamp"] or moments["date"], default=None)


def _file(merchant: Merchant) -> Path:
    return merchant.raw / "ledger.jsonl"
