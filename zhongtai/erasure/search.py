"""Looks for texts in every file there is: bytes as they are, out of archives, and the values of Parquet and DuckDB."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from zhongtai.erasure.archives import Archive, is_archive
from zhongtai.merchant import Merchant
from zhongtai.sql import quote_identifier, read_parquet

if TYPE_CHECKING:
    import duckdb

# Shorter ones stand in texts that have nothing to do with a person.
LEAST_CHARACTERS = 6
_BLOCK, _OVERLAP = 1 << 23, 1 << 10
_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
_PARQUET, _DUCKDB, _MAGIC_BYTES = b"PAR1", b"DUCK", 16
# An escape of JSON's ends in a letter or digit: `\n13812345678`.
_ALONE = r"(?:(?<![0-9A-Za-z])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))(?:%s)(?![0-9A-Za-z])"


class Answer(Enum):
    """What a search of a file came to; `UNSEARCHED` where a part cannot be read and the rest holds no text."""

    FOUND = "found"
    NOT_FOUND = "not found"
    UNSEARCHED = "unsearched"


@dataclass
class Place:
    """A folder that was searched.

    Attributes:
        files: how many were searched from end to end, or hold one of the texts.
        found: the files that hold one of the texts.
        unsearched: the files of which a part cannot be read, and whose rest holds none.
    """

    name: str
    files: int = 0
    found: list[Path] = field(default_factory=list)
    unsearched: list[Path] = field(default_factory=list)


class Needles:
    """Texts to look for; one stands alone where no letter or digit touches it, but that of an escape of JSON's."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted({text for text in texts if len(text) >= LEAST_CHARACTERS})
        written = {form for text in self.texts for form in (text, json.dumps(text)[1:-1])}
        self._bytes = [
            (form, re.compile(_ALONE.encode() % re.escape(form)))
            for form in sorted({text.encode(encoding) for text in written for encoding in _ENCODINGS})
        ]
        self.pattern = alone_in_sql("|".join(re.escape(text) for text in self.texts))

    def look_in(self, file: Path, *, may_be_packed: bool = True) -> Answer:
        """Whether the file holds one of the texts, packed or not.

        Args:
            may_be_packed: whether what is packed in it is opened as well, where that is an archive or Parquet.
        """
        if not self.texts or not file.stat().st_size:
            return Answer.NOT_FOUND
        with file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as data:
            start = data[:_MAGIC_BYTES]
            is_read = True
            if start.startswith(_PARQUET) or start[8:].startswith(_DUCKDB):
                answer = self._in_tables(file, is_parquet=start.startswith(_PARQUET))
                if answer is not None:
                    return answer
                is_read = False
            if self._is_in(_blocks(data)):
                return Answer.FOUND
            if is_archive(start):
                archive = Archive(data)
                for content in archive.contents():
                    answer = self._in_content(content, may_be_packed=may_be_packed)
                    if answer is Answer.FOUND:
                        return answer
                    is_read = is_read and answer is Answer.NOT_FOUND
                is_read = is_read and archive.is_whole
        return Answer.NOT_FOUND if is_read else Answer.UNSEARCHED

    def _in_content(self, content: Iterator[bytes], *, may_be_packed: bool) -> Answer:
        """Whether what is packed in an archive holds one of the texts; an archive in it is opened, and none in that."""
        first = next(filter(None, content), b"")
        pieces = chain([first], content)
        if not (is_archive(first) or first.startswith(_PARQUET)):
            return Answer.FOUND if self._is_in(pieces) else Answer.NOT_FOUND
        if not may_be_packed:
            return Answer.FOUND if self._is_in(pieces) else Answer.UNSEARCHED
        with NamedTemporaryFile() as opened:
            opened.writelines(pieces)
            opened.flush()
            return self.look_in(Path(opened.name), may_be_packed=False)

    def _is_in(self, blocks: Iterable[bytes]) -> bool:
        before = b""
        for block in blocks:
            text = before + block
            for form, alone in self._bytes:
                if form in text and alone.search(text):
                    return True
            before = text[-_OVERLAP:]
        return False

    def _in_tables(self, file: Path, *, is_parquet: bool) -> Answer | None:
        """None where the file is damaged."""
        import duckdb

        try:
            if is_parquet:
                with duckdb.connect() as connection:
                    return self._in_relation(connection, read_parquet([file], "binary_as_string = true"))
            with duckdb.connect(str(file), read_only=True) as connection:
                tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
                names = (f"{quote_identifier(schema)}.{quote_identifier(table)}" for schema, table in tables)
                answers = (self._in_relation(connection, name) for name in names)
                return next((answer for answer in answers if answer is Answer.FOUND), Answer.NOT_FOUND)
        except duckdb.Error:
            return None

    def _in_relation(self, connection: duckdb.DuckDBPyConnection, relation: str) -> Answer:
        query = f"select 1 from {relation} as searched where regexp_matches(cast(searched as varchar), ?) limit 1"
        is_there = connection.execute(query, [self.pattern]).fetchone() is not None
        return Answer.FOUND if is_there else Answer.NOT_FOUND


def alone(pattern: str) -> str:
    """A pattern of a text that stands alone, for Python's `re`."""
    return _ALONE % pattern


def alone_in_sql(pattern: str) -> str:
    """A pattern of a text that stands alone, for DuckDB's `regexp_matches`."""
    return rf"(?:^|[^0-9A-Za-z]|\\[bfnrt]|\\u[0-9A-Fa-f]{{4}})(?:{pattern})(?:[^0-9A-Za-z]|$)"


def search(merchant: Merchant, needles: Needles, others: dict[str, Path]) -> list[Place]:
    """Searches everything of the merchant but the silos' own folders and the simulator's truth.

    Args:
        others: more folders to search, by name.
    """
    silos = {merchant.silo_folder(silo).resolve() for silo in merchant.silos} | {merchant.home / "truth"}
    places: dict[str, Place] = {}
    for name, folder in {"": merchant.home, **others}.items():
        seen: set[tuple[int, int]] = set()
        for file in _files(folder, silos):
            status = file.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue  # releases share the files that did not change
            seen.add((status.st_dev, status.st_ino))
            inside = file.relative_to(folder).parts
            key = name or (inside[0] if len(inside) > 1 else "other files")
            place = places.setdefault(key, Place(key))
            answer = needles.look_in(file)
            place.files += answer is not Answer.UNSEARCHED
            if answer is Answer.FOUND:
                place.found.append(file)
            elif answer is Answer.UNSEARCHED:
                place.unsearched.append(file)
    return [places[key] for key in sorted(places)]


def _files(folder: Path, without: set[Path]) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_symlink() or entry.resolve() in without:
            continue
        if entry.is_dir():
            yield from _files(entry, without)
        elif entry.is_file():
            yield entry


def _blocks(data: mmap) -> Iterator[bytes]:
    for start in range(0, len(data), _BLOCK):
        yield data[start : start + _BLOCK]
