"""Looks for texts in every file there is: bytes as they are, out of archives, and the values of Parquet and DuckDB."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from zhongtai.merchant import Merchant
from zhongtai.sql import quote_identifier, read_parquet

if TYPE_CHECKING:
    import duckdb

# Shorter ones stand in texts that have nothing to do with a person.
LEAST_CHARACTERS = 6
_BLOCK, _OVERLAP = 1 << 23, 1 << 10
_ENCODINGS = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")


@dataclass
class Place:
    """A folder that was searched.

    Attributes:
        found: the files that hold one of the texts.
    """

    name: str
    files: int = 0
    found: list[Path] = field(default_factory=list)


class Needles:
    """Texts to look for; one stands alone where no letter or digit touches it."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = sorted({text for text in texts if len(text) >= LEAST_CHARACTERS})
        self._bytes = [
            (form, re.compile(rb"(?<![0-9A-Za-z])" + re.escape(form) + rb"(?![0-9A-Za-z])"))
            for form in sorted({text.encode(encoding) for text in self.texts for encoding in _ENCODINGS})
        ]
        alternatives = "|".join(re.escape(text) for text in self.texts)
        self._pattern = f"(^|[^0-9A-Za-z])(?:{alternatives})([^0-9A-Za-z]|$)"

    def are_in(self, file: Path) -> bool:
        """Whether the file holds one of the texts, packed or not."""
        if not self.texts:
            return False
        if file.suffix in (".parquet", ".duckdb") and (found := self._in_tables(file)) is not None:
            return found
        return any(self._in_stream(stream) for stream in _streams(file))

    def _in_stream(self, stream: IO[bytes]) -> bool:
        before = b""
        for block in _blocks(stream):
            text = before + block
            for form, alone in self._bytes:
                if form in text and alone.search(text):
                    return True
            before = text[-_OVERLAP:]
        return False

    def _in_tables(self, file: Path) -> bool | None:
        """None where the file is not what its name says."""
        import duckdb

        try:
            if file.suffix == ".parquet":
                with duckdb.connect() as connection:
                    return self._in_relation(connection, read_parquet([file], "binary_as_string = true"))
            with duckdb.connect(str(file), read_only=True) as connection:
                tables = connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
                return any(
                    self._in_relation(connection, f"{quote_identifier(schema)}.{quote_identifier(table)}")
                    for schema, table in tables
                )
        except duckdb.Error:
            return None

    def _in_relation(self, connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
        query = f"select 1 from {relation} as searched where regexp_matches(cast(searched as varchar), ?) limit 1"
        return connection.execute(query, [self._pattern]).fetchone() is not None


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
            place.files += 1
            if needles.are_in(file):
                place.found.append(file)
    return [places[key] for key in sorted(places)]


def _files(folder: Path, without: set[Path]) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_symlink() or entry.resolve() in without:
            continue
        if entry.is_dir():
            yield from _files(entry, without)
        elif entry.is_file():
            yield entry


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream as far as it can be read: a broken archive ends where it breaks."""
    try:
        while block := stream.read(_BLOCK):
            yield block
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
        return


def _streams(file: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, and what is packed in it as far as it can be unpacked."""
    with file.open("rb") as stream:
        magic = stream.read(4)
        stream.seek(0)
        yield stream
    if magic.startswith(b"\x1f\x8b"):
        with gzip.open(file) as unpacked:
            yield cast(IO[bytes], unpacked)
    elif magic == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    with archive.open(member) as unpacked_member:
                        yield unpacked_member
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return  # its bytes were searched
