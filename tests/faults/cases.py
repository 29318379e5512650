"""What a named bad input is, and what the specification says becomes of it.

The inputs are bytes made by plain Python, xlsxwriter and pyarrow, and the outcomes were derived by hand from
docs/contracts.md, docs/decisions/0003-load-modes.md and the issue "Ingestion that loses nothing". Nothing here reads a
file as the platform does, so an error of a reader has to be made twice to go unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Row = tuple[Any, ...]
# What is large is made when it is needed.
Content = bytes | Callable[[], bytes]
Counts = tuple[int, int, int, int, int]
# The platform may be killed or starved by these: they run in a process of their own, with limits.
BOMB_MEMORY_BYTES = 4 << 30
BOMB_SECONDS = 120


@dataclass(frozen=True)
class Rejected:
    """A quarantined row: its number in the file (1-based), the line that it begins in, column and reason code.

    Attributes:
        line: None where the form has no lines.
        column: None where the row as such is broken.
        position: of its file, among the files of the case.
    """

    row: int
    line: int | None
    column: str | None
    reason: str
    position: int = 1


@dataclass(frozen=True)
class Case:
    """A bad input and its outcome.

    Attributes:
        files: name and content, in the order in which they land and load, one after the other.
        rows: values of the contract's columns in raw, in landing order; None where only the counts are judged.
        rejected: rows in quarantine.
        whole: for each file that is rejected as a whole a phrase of its message, by position.
        counts: read, loaded, quarantined, duplicate, superseded, for each landed file.
        extra: the columns that the contract does not name, for each row of raw, where they are judged.
        holds: what the raw view shows in the end, where that is judged.
        is_bomb: whether it is loaded in a process with limits.
        is_slow: whether it takes several seconds.
    """

    name: str
    table: dict[str, Any]
    files: tuple[tuple[str, Content], ...]
    rows: list[Row] | None
    rejected: list[Rejected]
    whole: dict[int, str]
    counts: list[Counts]
    extra: list[dict[str, Any] | None] | None = None
    holds: list[Row] | None = None
    is_bomb: bool = False
    is_slow: bool = False


def table(form: str, *, mode: str = "append", key: tuple[str, ...] = ("id",), **columns: Any) -> dict[str, Any]:
    """A contract of a table `items`; a column is its data type, or what the sources YAML says of it.

    `settings` among the columns are further fields of the table.
    """
    settings = columns.pop("settings", {})
    declared = {"id": "bigint", **(columns or {"name": "string"})}
    return {
        "file": "*",
        "format": form,
        "load_mode": mode,
        "key": list(key),
        **settings,
        "columns": {
            name: {"data_type": given} if isinstance(given, str) else given for name, given in declared.items()
        },
    }


def encoded(content: str | Content) -> Content:
    return content.encode() if isinstance(content, str) else content


def one_file(
    contract: dict[str, Any], name: str, content: str | Content, rows: list[Row], *rejected: Rejected, **options: Any
) -> Case:
    """A file of which rows are loaded and rows are quarantined."""
    counts = (len(rows) + len(rejected), len(rows), len(rejected), 0, 0)
    return Case(name, contract, (("1", encoded(content)),), rows, list(rejected), {}, [counts], **options)


def whole_file(
    contract: dict[str, Any], name: str, content: str | Content, phrase: str, rows: int = 0, **options: Any
) -> Case:
    """A file that is quarantined as a whole, with its rows where they can be counted."""
    counts = (rows, 0, rows, 0, 0)
    return Case(name, contract, (("1", encoded(content)),), [], [], {1: phrase}, [counts], **options)


def in_lines(*found: tuple[int, str | None, str], header_lines: int = 1) -> list[Rejected]:
    """Rejected rows of a text file whose records are a line each."""
    return [Rejected(row, row + header_lines, column, reason) for row, column, reason in found]


def renamed(case: Case, name: str) -> Case:
    """The case with its one file under another name."""
    return replace(case, files=((name, case.files[0][1]),))


Maker = Callable[..., Case]
