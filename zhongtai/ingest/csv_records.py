"""CSV read record by record: exact about where a record starts and what is wrong with it.

DuckDB's reader is several times faster, but it does not number rejected records, and a quote that is never closed
swallows rows without a word. The reader therefore falls back to this one for every file whose line count does not
prove that DuckDB saw each record (`zhongtai.ingest.reader`).
"""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

# An open quote that finds no end within so much is a broken line, not a long text.
_RECORD_LINES = 10_000
_RECORD_CHARACTERS = 1 << 26


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a CSV file.

    Attributes:
        line: the physical line, from 1, on which it starts.
        values: None where the quotes are broken.
        text: as it stands in the file; the first line of it where the quotes are broken.
        error: what is wrong with the quotes.
    """

    line: int
    values: list[str] | None
    text: str
    error: str = ""


def records(file: Path, delimiter: str, quote: str, encoding: str) -> Iterator[Record]:
    """Every record, the header first; blank lines are none, and lines of spaces above the header.

    Raises:
        UnicodeError: the file is not in this encoding.
    """
    with file.open(encoding=encoding, newline="") as stream:
        yield from records_of(stream, delimiter, quote)


def records_of(lines: Iterable[str], delimiter: str, quote: str) -> Iterator[Record]:
    """The records of a text's lines, which have their ends."""
    csv.field_size_limit(sys.maxsize)  # for the process; Python's own limit is 131,072 characters
    yield from dropwhile(_is_white, _parse(_Lines(iter(lines)), delimiter, quote))


def _is_white(record: Record) -> bool:
    return record.values is not None and len(record.values) == 1 and not record.values[0].strip()


def _parse(lines: _Lines, delimiter: str, quote: str) -> Iterator[Record]:
    reader = _reader(lines, delimiter, quote)
    while True:
        lines.taken.clear()
        lines.characters = 0
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Only the first line is given up: an open quote must not take good rows with it.
            text = lines.give_back_all_but_first()
            yield Record(lines.number, None, text.rstrip("\r\n"), f"broken quotes: {error}")
            reader = _reader(lines, delimiter, quote)
            continue
        if values:
            yield Record(lines.number - len(lines.taken) + 1, values, "".join(lines.taken).rstrip("\r\n"))


def _reader(lines: _Lines, delimiter: str, quote: str) -> Iterator[list[str]]:
    if not quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True, strict=True)


class _Lines:
    """The physical lines of a stream, which can be given back.

    Attributes:
        taken: the lines of the record being read.
        characters: their length.
        number: the number of the last line handed out.
    """

    def __init__(self, stream: Iterator[str]) -> None:
        self._stream = stream
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.characters = 0
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.taken and (len(self.taken) >= _RECORD_LINES or self.characters > _RECORD_CHARACTERS):
            raise csv.Error("a quote that is not closed")
        line = self._returned.popleft() if self._returned else next(self._stream)
        self.taken.append(line)
        self.characters += len(line)
        self.number += 1
        return line

    def give_back_all_but_first(self) -> str:
        first, *others = self.taken
        self._returned.extendleft(reversed(others))
        self.number -= len(others)
        return first
