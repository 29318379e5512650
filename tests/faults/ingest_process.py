"""A process that ingests in waves, and goes on where it was when it is started again after a kill.

`python -m tests.faults.ingest_process WORK`: a pickled `Work`. It prints a line when it begins.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from zhongtai.ingest import landing, loader
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant


@dataclass(frozen=True)
class Arrival:
    """A file of a wave; one of the same name corrects it."""

    name: str
    content: bytes
    modified_at: int


@dataclass(frozen=True)
class Work:
    """What to ingest: the files of a wave arrive when the wave before is loaded."""

    merchant: Merchant
    contracts: list[Contract]
    incoming: Path
    waves: list[list[Arrival]]


def ingest(work: Work) -> None:
    """Does what is left of the work. A wave that has begun arrives again: its files are as they were."""
    place = work.incoming.parent / "wave"
    first = int(place.read_text(encoding="utf-8")) if place.exists() else 0
    for number, wave in list(enumerate(work.waves))[first:]:
        mark = place.with_suffix(".new")
        mark.write_text(str(number), encoding="utf-8")
        mark.replace(place)
        for arrival in wave:
            file = work.incoming / arrival.name
            file.write_bytes(arrival.content)
            os.utime(file, (arrival.modified_at, arrival.modified_at))
        landing.land(work.merchant, work.contracts)
        loader.load_pending(work.merchant, work.contracts)


if __name__ == "__main__":
    todo = pickle.loads(Path(sys.argv[1]).read_bytes())
    print("begins", flush=True)
    ingest(todo)
