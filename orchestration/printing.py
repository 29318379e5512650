"""Progress of long work as lines on the console."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from zhongtai.progress import LOGGER, Progress


def plain(text: object) -> str:
    """Text for the console as it stands: no markup, and what a terminal would obey (ESC, CR, NUL) made visible."""
    return escape("".join(sign if sign.isprintable() or sign == "\n" else _visible(sign) for sign in str(text)))


def _visible(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


@contextmanager
def printed_progress(out: Console) -> Iterator[None]:
    """Prints each piece of work as it is finished inside the block."""
    handler = _Printer(out)
    LOGGER.setLevel(logging.INFO)
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)


class _Printer(logging.Handler):
    """Prints each finished piece of work as a line: stage, what, rows, seconds."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self.out = out

    def emit(self, record: logging.LogRecord) -> None:
        progress: Progress | None = getattr(record, "progress", None)
        if progress is not None:
            rows = "" if progress.rows is None else f"{progress.rows:,}"
            note = plain(f"  {progress.note}" if progress.note else "")
            self.out.print(
                f"  {progress.stage:<9} {plain(progress.item):<52} {rows:>12}  {progress.seconds:>6.1f} s{note}",
                soft_wrap=True,
            )
