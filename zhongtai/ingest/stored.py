"""Where loaded and rejected rows are kept: Parquet files of a batch, put in place whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import journal
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.ledger import FileLoad
from zhongtai.merchant import Merchant
from zhongtai.sql import execute_sparingly, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb


def raw_file(merchant: Merchant, silo: str, table: str, batch: int) -> Path:
    """The Parquet file of a batch's stored rows; `_file_position` tells their files apart."""
    return merchant.raw / silo / table / f"{batch:08d}.parquet"


def raw_rows(files: Iterable[Path]) -> str:
    """The stored rows of raw files; a file that was right from end to end is not numbered, its rows stand in order."""
    return (
        "(select * exclude (file_row_number) replace (coalesce(_row_number, file_row_number + 1) as _row_number) "
        f"from {read_parquet(files, 'file_row_number = true')})"
    )


def quarantine_file(merchant: Merchant, silo: str, table: str, batch: int) -> Path:
    """The Parquet file of a batch's rejected rows; it exists where there are any."""
    return merchant.quarantine / silo / table / f"{batch:08d}.parquet"


def write(connection: duckdb.DuckDBPyConnection, query: str, file: Path, enough_bytes: int = 0) -> Path:
    """Writes what belongs into a file to a temporary one.

    Args:
        enough_bytes: of memory, where that is known.
    """
    for folder in (file.parents[2], file.parents[1], file.parent):
        journal.private_folder(folder)
    temporary = file.with_name(f".{file.name}.tmp")
    copy = f"copy ({query}) to {quote_literal(str(temporary))} (format parquet, compression zstd)"
    if enough_bytes:
        execute_sparingly(connection, copy, enough_bytes)
    else:
        connection.execute(copy)
    return temporary


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
