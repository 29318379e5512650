"""What was rejected, and why."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from zhongtai.ingest import ledger
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.stored import quarantine_file
from zhongtai.merchant import Merchant
from zhongtai.sql import read_parquet

# The reason code of a file that is quarantined as a whole.
WHOLE_FILE = "file"


class QuarantinedFile(BaseModel):
    """A landed file of which something was rejected.

    Attributes:
        reasons: rejected rows by reason code; `file` where the file as a whole is.
        message: why the file as a whole is rejected.
    """

    position: int
    silo: str
    table: str
    file: str
    reasons: dict[str, int]
    message: str | None = None


def list_quarantine(merchant: Merchant) -> list[QuarantinedFile]:
    """Every file with rejected rows or rejected as a whole, in landing order."""
    loads = [load for load in ledger.read(merchant) if load.rows_quarantined or load.status == "quarantined"]
    counts = _counts(sorted({_file(merchant, load) for load in loads if load.status == "loaded"}))
    return [
        QuarantinedFile(
            position=load.position,
            silo=load.silo,
            table=load.table,
            file=load.file,
            reasons=counts.get(load.position, {WHOLE_FILE: load.rows_quarantined}),
            message=load.reason,
        )
        for load in loads
    ]


def show(merchant: Merchant, silo: str, table: str, limit: int = 20) -> list[dict[str, object]]:
    """The table's rejected rows in landing order, at most `limit`; the columns of the quarantine files.

    A file rejected as a whole is one row, with the reason `file` and no row number.
    """
    loads = [load for load in ledger.read(merchant) if (load.silo, load.table) == (silo, table)]
    whole: list[dict[str, object]] = [
        {
            "position": load.position,
            "silo": silo,
            "table_name": table,
            "file": load.file,
            "row_number": None,
            "reason": WHOLE_FILE,
            "message": load.reason,
        }
        for load in loads
        if load.status == "quarantined"
    ]
    files = sorted({_file(merchant, load) for load in loads if load.status == "loaded" and load.rows_quarantined})
    rows = whole + (_rows(files, limit) if files else [])
    return sorted(rows, key=lambda row: int(str(row["position"])))[:limit]


def _file(merchant: Merchant, load: FileLoad) -> Path:
    return quarantine_file(merchant, load.silo, load.table, load.batch)


def _rows(files: list[Path], limit: int) -> list[dict[str, object]]:
    import duckdb

    with duckdb.connect() as connection:
        result = connection.execute(
            f"select * from {read_parquet(files)} order by position, row_number limit ?", [limit]
        )
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


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
