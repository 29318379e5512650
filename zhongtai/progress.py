"""Live progress of long work, through Python's logging.

The command line prints these records as lines; Dagster keeps them in the run's log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LOGGER = logging.getLogger("zhongtai.progress")


@dataclass
class Progress:
    """One finished piece of work.

    Attributes:
        stage: ingest, transform, quality or publish.
        item: what was worked on, for example a table.
        rows: rows handled, None where that means nothing.
        seconds: wall time.
        note: a few words more, for example "3 quarantined".
    """

    stage: str
    item: str
    rows: int | None = None
    seconds: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        rows = "" if self.rows is None else f" {self.rows:,} rows"
        note = f" ({self.note})" if self.note else ""
        return f"{self.stage}: {self.item}{rows} {self.seconds:.1f} s{note}"


def report(progress: Progress) -> None:
    """Tells whoever listens that a piece of work is done."""
    LOGGER.info(str(progress), extra={"progress": progress})


@contextmanager
def timed(stage: str, item: str) -> Iterator[Progress]:
    """Times a block and reports it; set `rows` and `note` inside. Nothing is reported if it raises.

    A block that handled 0 rows is not worth a line.
    """
    progress = Progress(stage, item)
    started = time.perf_counter()
    yield progress
    progress.seconds = time.perf_counter() - started
    if progress.rows != 0 or progress.note:
        report(progress)
