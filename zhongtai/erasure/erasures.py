"""What was erased from landing: which file, how much, when; never whom. Ingest adds it to its counts."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from zhongtai.ingest import journal
from zhongtai.ingest.row_numbers import format_numbers, parse_numbers, without
from zhongtai.merchant import Merchant


class Erasure(BaseModel):
    """One line of `landing/erasures.jsonl`: a landed file was written again without a person.

    Attributes:
        rows_erased: records taken out, 0 where only values were.
        values_blanked: values taken out of records that are about somebody else.
        old_sha256, new_sha256: of the file before and after.
        rows: the numbers of these records, as they were before, as `3-5,9`: what follows them has new numbers now.
        known_at: the last landing position then; what landed up to it names rows by their numbers of before.
    """

    position: int
    silo: str
    table: str
    rows_erased: int
    values_blanked: int
    old_sha256: str
    new_sha256: str
    erased_at: datetime
    rows: str = ""
    known_at: int = 0


def read(merchant: Merchant) -> list[Erasure]:
    """Every erasure, in order."""
    return [Erasure.model_validate(entry) for entry in journal.read(_file(merchant))]


def append(merchant: Merchant, erasures: list[Erasure]) -> None:
    """Records erasures in one write, before the files change: a file that is not as recorded is erased again."""
    journal.repair(_file(merchant))
    journal.append(_file(merchant), [erasure.model_dump(mode="json") for erasure in erasures])


def begin(merchant: Merchant, tables: set[tuple[str, str]]) -> None:
    """Notes the tables of which files are about to change, until `end`: killed in between, the next one goes on."""
    file = _begun(merchant)
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(sorted(tables)), encoding="utf-8")
    journal.sync_file(temporary)
    temporary.replace(file)
    journal.sync_folder(file.parent)


def begun(merchant: Merchant) -> set[tuple[str, str]]:
    """The tables of an erasure that was not ended: silo and table."""
    file = _begun(merchant)
    return {(silo, table) for silo, table in json.loads(file.read_text(encoding="utf-8"))} if file.exists() else set()


def end(merchant: Merchant) -> None:
    """Everything that was made of the erased rows is gone."""
    _begun(merchant).unlink(missing_ok=True)


def rows_erased(merchant: Merchant) -> dict[int, int]:
    """Rows erased so far, by landing position; of an erasure that was begun twice, the one that was finished."""
    return {position: sum(one.rows_erased for one in mine) for position, mine in _finished(merchant).items()}


def times_erased(merchant: Merchant) -> dict[int, int]:
    """How many times somebody was erased from a landed file, by position."""
    return {position: len(mine) for position, mine in _finished(merchant).items()}


def renumbered(merchant: Merchant, mends: dict[int, dict[int, str]]) -> dict[int, dict[int, str]]:
    """Rows that landed files name by their numbers at that time, by the numbers that they have now.

    Args:
        mends: by position of the file that names them: by position of the rows' file, numbers as `3-5,9`.
    """
    finished = _finished(merchant)
    found: dict[int, dict[int, str]] = {}
    for naming, named in mends.items():
        found[naming] = {}
        for position, text in named.items():
            numbers = parse_numbers(text)
            for step in finished.get(position, []):
                if naming <= step.known_at:
                    numbers = without(numbers, parse_numbers(step.rows))
            found[naming][position] = format_numbers(numbers)
    return found


def erased_contents(merchant: Merchant) -> set[tuple[str, str, str]]:
    """Silo, table and SHA-256 of contents that held a person who was erased: they may not land again."""
    return {(erasure.silo, erasure.table, erasure.old_sha256) for erasure in read(merchant)}


def mark(merchant: Merchant) -> str:
    """Changes with every erasure, and so asks for a new release; empty where there was none."""
    file = _file(merchant)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else ""


def _finished(merchant: Merchant) -> dict[int, list[Erasure]]:
    """The erasures of each position, in order; of one that was begun twice, the one that was finished."""
    steps = {(erasure.position, erasure.old_sha256): erasure for erasure in read(merchant)}
    found: dict[int, list[Erasure]] = {}
    for (position, _), erasure in steps.items():
        found.setdefault(position, []).append(erasure)
    return found


def _begun(merchant: Merchant) -> Path:
    return merchant.landing / "erasing.json"


def _file(merchant: Merchant) -> Path:
    return merchant.landing / "erasures.jsonl"
