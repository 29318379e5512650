"""Reconciliation: what the ledger says of every landed file, against the rows that are there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import landing, ledger
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.stored import quarantine_file, raw_file
from zhongtai.merchant import Merchant
from zhongtai.sql import read_parquet

if TYPE_CHECKING:
    import duckdb

Table = tuple[str, str]


def reconcile(merchant: Merchant, contracts: Iterable[Contract]) -> dict[Table, list[str]]:
    """What does not add up, by (silo, table); an empty list where everything does.

    Every landed file is in the ledger, its rows read are those loaded, quarantined, duplicate, superseded and erased,
    and raw and quarantine hold as many rows of it as the ledger says.
    """
    import duckdb

    loads: dict[Table, dict[int, FileLoad]] = {}
    for load in ledger.read(merchant):
        loads.setdefault((load.silo, load.table), {})[load.position] = load
    landed: dict[Table, dict[int, str]] = {}
    for file in landing.read_log(merchant):
        landed.setdefault((file.silo, file.table), {})[file.position] = file.name
    found = {}
    with duckdb.connect() as connection:
        for contract in contracts:
            table = (contract.silo, contract.table)
            of_table = loads.get(table, {})
            missing = [name for position, name in landed.get(table, {}).items() if position not in of_table]
            found[table] = [
                *(f"{name} has landed, and was not loaded" for name in missing),
                *_differences(connection, merchant, list(of_table.values())),
            ]
    return found


def _differences(connection: duckdb.DuckDBPyConnection, merchant: Merchant, loads: list[FileLoad]) -> list[str]:
    loaded = [load for load in loads if load.status == "loaded"]
    raw = {raw_file(merchant, load.silo, load.table, load.batch) for load in loaded}
    rejected = {
        quarantine_file(merchant, load.silo, load.table, load.batch) for load in loaded if load.rows_quarantined
    }
    gone = [file for file in sorted(raw | rejected) if not file.exists()]
    if gone:
        return [f"{file} is gone. Remove {merchant.raw}: the next run loads everything again." for file in gone]
    in_raw = _rows(connection, raw, "_file_position")
    in_quarantine = _rows(connection, rejected, "position")
    differences = []
    for load in loads:
        name = f"{load.file} (position {load.position})"
        if not load.adds_up:
            differences.append(f"{name}: the counts do not add up to {load.rows_read} rows read")
        if load.status != "loaded":
            continue
        stored = load.rows_loaded + load.rows_superseded
        if in_raw.get(load.position, 0) != stored:
            differences.append(f"{name}: raw holds {in_raw.get(load.position, 0)} rows, the ledger says {stored}")
        if in_quarantine.get(load.position, 0) != load.rows_quarantined:
            differences.append(
                f"{name}: quarantine holds {in_quarantine.get(load.position, 0)} rows, "
                f"the ledger says {load.rows_quarantined}"
            )
    return differences


def _rows(connection: duckdb.DuckDBPyConnection, files: set[Path], position: str) -> dict[int, int]:
    """Rows by the position of their file."""
    if not files:
        return {}
    query = f"select {position}, count(*) from {read_parquet(sorted(files))} group by {position}"
    return {int(place): int(rows) for place, rows in connection.execute(query).fetchall()}
