"""Append-only logs of JSON lines that survive a kill at any moment, and files put in place whole."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from zhongtai.errors import ZhongtaiError

Entry = dict[str, object]

# How many lines of the same write follow a line; a write of which lines are missing did not happen.
_MORE = "more"


def read(file: Path) -> list[Entry]:
    """The entries of every finished write; a torn end is left out.

    Raises:
        ZhongtaiError: a line before the end is not JSON.
    """
    return _scan(file)[0]


def repair(file: Path) -> None:
    """Cuts off what a killed write left behind."""
    if not file.exists():
        return
    good = _scan(file)[1]
    if good < file.stat().st_size:
        with file.open("r+b") as stream:
            stream.truncate(good)
            os.fsync(stream.fileno())


def append(file: Path, entries: Sequence[Entry]) -> None:
    """Adds the entries in one write that happens as a whole or, to a reader, not at all.

    Call `repair` before the first append of a process.
    """
    if not entries:
        return
    lines = []
    for index, entry in enumerate(entries):
        more = len(entries) - 1 - index
        lines.append(json.dumps({**entry, _MORE: more} if more else entry))
    is_new = not file.exists()
    with file.open("ab") as stream:
        stream.write(("\n".join(lines) + "\n").encode())
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        sync_folder(file.parent)


def sync_file(file: Path) -> None:
    """Waits until the file's content is on disk."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on disk."""
    sync_file(folder)


def put_in_place(temporary: Path, final: Path) -> None:
    """Makes a finished temporary file the final one, on disk, in one step."""
    sync_file(temporary)
    temporary.replace(final)
    sync_folder(final.parent)


def private_folder(folder: Path) -> Path:
    """Makes a folder that only its owner can open; it holds personal data."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _scan(file: Path) -> tuple[list[Entry], int]:
    """The entries of finished writes, and the size in bytes of what holds them."""
    if not file.exists():
        return [], 0
    content = file.read_bytes()
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
    entries: list[Entry] = []
    unfinished: list[Entry] = []
    good = read_so_far = 0
    for number, line in enumerate(lines, start=1):
        read_so_far += len(line)
        try:
            entry = json.loads(line)
            more = entry.pop(_MORE, 0)
        except (ValueError, AttributeError) as error:
            if number == len(lines):
                break  # a power cut can leave a last line of zeros
            raise ZhongtaiError(f"{file}, line {number}: not JSON. Restore the file from a backup.") from error
        unfinished.append(entry)
        if not more:
            entries += unfinished
            unfinished = []
            good = read_so_far
    return entries, good
