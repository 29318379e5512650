"""What the warehouse was last built from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from zhongtai.ingest.ledger import FileLoad
from zhongtai.merchant import Merchant


class Built(BaseModel):
    """What the tables of the warehouse hold.

    Attributes:
        loads: by silo.table, the positions of the files whose rows are in, with a mark of how each was loaded.
        as_of, as_of_date: the moment up to which rows are in, and its local date.
        project: `Transform.key` of the project whose views are there.
        models: by name, the fingerprint of whatever decides a model's rows, but for the rows that it reads.
    """

    loads: dict[str, dict[int, str]]
    as_of: datetime
    as_of_date: date
    project: str
    models: dict[str, str]


def load_marks(loads: Iterable[FileLoad]) -> dict[str, dict[int, str]]:
    """`Built.loads` of the ledger's entries; how many rows newer versions superseded says nothing about the rest."""
    marks: dict[str, dict[int, str]] = {}
    for load in loads:
        if load.status == "loaded":
            told = [load.contract_hash, load.batch, load.rows_read, load.rows_quarantined, load.rows_duplicate]
            text = " ".join(map(str, [*told, load.rows_erased]))
            mark = hashlib.sha256(text.encode()).hexdigest()[:12]
            marks.setdefault(f"{load.silo}.{load.table}", {})[load.position] = mark
    return marks


def take(merchant: Merchant) -> Built | None:
    """What was built, None where nobody knows; from now on nobody does, until `record` says it anew.

    A run that is killed or fails on its way so leaves a warehouse that the next one builds from the ground.
    """
    file = _file(merchant)
    if not file.exists():
        return None
    content = file.read_bytes()
    forget(merchant)
    try:
        return Built.model_validate_json(content)
    except ValidationError:  # written by another version of this code, or damaged
        return None


def forget(merchant: Merchant) -> None:
    """The next run builds everything."""
    _file(merchant).unlink(missing_ok=True)


def record(merchant: Merchant, built: Built) -> None:
    """Says what the warehouse holds now."""
    temporary = _file(merchant).with_suffix(".tmp")
    temporary.write_text(built.model_dump_json(), encoding="utf-8")
    os.replace(temporary, _file(merchant))


def _file(merchant: Merchant) -> Path:
    return merchant.warehouse / "built.json"
