"""How far the extraction of each table has come, in a log that survives a kill, and files put into the inbox whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from zhongtai.errors import UsageError
from zhongtai.ingest import journal
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant


class Position(BaseModel):
    """Where the extraction of a table stands; the last line of a table holds.

    Attributes:
        sequence: of the last file, from 1.
        cursor: the greatest value of the cursor column that was seen, as text.
        seen: a greater value in pages of an extraction that has not come to its end.
        snapshot: PostgreSQL's snapshot that was read, `xmin:xmax:xip,xip`.
        page: what the next page is asked by, while pages are left.
    """

    table: str
    sequence: int = 0
    cursor: str | None = None
    seen: str | None = None
    snapshot: str | None = None
    page: str | None = None


def read(merchant: Merchant, silo: str, table: str) -> Position:
    """Where the table's extraction stands."""
    positions = [Position.model_validate(entry) for entry in journal.read(_file(merchant, silo))]
    return next((position for position in reversed(positions) if position.table == table), Position(table=table))


def save(merchant: Merchant, silo: str, position: Position) -> None:
    """Records it, after the file that it tells of is in place."""
    journal.private_folder(merchant.home / "extract")
    journal.repair(_file(merchant, silo))
    journal.append(_file(merchant, silo), [position.model_dump(mode="json", exclude_none=True)])


def put(merchant: Merchant, contract: Contract, sequence: int, write: Callable[[Path], None]) -> int:
    """Writes the table's next file whole into the silo's folder; returns its number.

    Args:
        sequence: of the file before. A number is not used twice, even if a kill came before it was recorded.

    Raises:
        UsageError: the contract's pattern has no place for a number.
    """
    before, star, behind = contract.file.partition("*")
    if not star or any(mark in before + behind for mark in "*?["):
        raise UsageError(
            f"{contract.yaml_file}: {contract.silo}.{contract.table}: file: '{contract.file}' needs one *, where the "
            "numbers of extracted files stand"
        )
    folder = merchant.silo_folder(contract.silo)
    folder.mkdir(parents=True, exist_ok=True)
    number = sequence + 1
    while (folder / f"{before}{number:08d}{behind}").exists():
        number += 1
    final = folder / f"{before}{number:08d}{behind}"
    temporary = final.with_name(f".{final.name}.part")
    try:
        write(temporary)
    except BaseException:
        temporary.unlink(missing_ok=True)  # a source that breaks off leaves no part of itself
        raise
    temporary.chmod(0o600)
    journal.put_in_place(temporary, final)
    return number


def _file(merchant: Merchant, silo: str) -> Path:
    return merchant.home / "extract" / f"{silo}.jsonl"
