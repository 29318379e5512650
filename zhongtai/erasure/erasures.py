"""What was erased from landing: which file, how much, when; never whom. Ingest adds it to its counts."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from zhongtai.ingest import journal
from zhongtai.merchant import Merchant


class Erasure(BaseModel):
    """One line of `landing/erasures.jsonl`: a landed file was written again without a person.

    Attributes:
        rows_erased: records taken out, 0 where only values were.
        values_blanked: values taken out of records that are about somebody else.
        old_sha256, new_sha256: of the file before and after.
    """

    position: int
    silo: str
    table: str
    rows_erased: int
    values_blanked: int
    old_sha256: str
    new_sha256: str
    erased_at: datetime


def read(merchant: Merchant) -> list[Erasure]:
    """Every erasure, in order."""
    return [Erasure.model_validate(entry) for entry in journal.read(_file(merchant))]


def append(merchant: Merchant, erasures: list[Erasure]) -> None:
    """Records erasures in one write, before the files change: a file that is not as recorded is erased again."""
    journal.repair(_file(merchant))
    journal.append(_file(merchant), [erasure.model_dump(mode="json") for erasure in erasures])


def rows_erased(merchant: Merchant) -> dict[int, int]:
    """Rows erased so far, by landing position; of an erasure that was begun twice, the one that was finished."""
    steps = {(erasure.position, erasure.old_sha256): erasure.rows_erased for erasure in read(merchant)}
    rows: dict[int, int] = {}
    for (position, _), number in steps.items():
        rows[position] = rows.get(position, 0) + number
    return rows


def erased_contents(merchant: Merchant) -> set[tuple[str, str, str]]:
    """Silo, table and SHA-256 of contents that held a person who was erased: they may not land again."""
    return {(erasure.silo, erasure.table, erasure.old_sha256) for erasure in read(merchant)}


def mark(merchant: Merchant) -> str:
    """Changes with every erasure, and so asks for a new release; empty where there was none."""
    file = _file(merchant)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""


def _file(merchant: Merchant) -> Path:
    return merchant.landing / "erasures.jsonl"
