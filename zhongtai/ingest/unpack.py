"""Text files as they arrive (packed, in any encoding) into plain UTF-8, with a count of their lines."""

from __future__ import annotations

import codecs
import errno
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from zhongtai.errors import UsageError
from zhongtai.ingest.contract import Contract

_BLOCK = 1 << 20
# What unpacks to more than this, and to more than so many times its own size, is a bomb and no export.
_BOMB_BYTES = 1 << 30
_BOMB_RATIO = 500
_PACKED = (b"\x1f\x8b", b"PK\x03\x04")


class FileFault(Exception):
    """A file as a whole cannot be used.

    Attributes:
        rows: its rows, where they could be counted.
    """

    def __init__(self, message: str, rows: int = 0) -> None:
        super().__init__(message)
        self.rows = rows


@dataclass(frozen=True)
class Plain:
    """A text file in UTF-8; a byte order mark may stand at its start.

    Attributes:
        lines: physical lines, by line feeds.
        is_regular: no carriage return stands alone, and there is no unit separator, which nobody types.
    """

    file: Path
    lines: int
    is_regular: bool


def plain_text(contract: Contract, file: Path, target: Path) -> Plain:
    """Checks that the whole file is readable; unpacks and decodes it to `target` where it is not plain UTF-8.

    Raises:
        FileFault: a broken archive, or bytes that are not in the contract's encoding.
        UsageError: the contract names an encoding that Python does not know.
    """
    encoding = _encoding(contract)
    with file.open("rb") as stream:
        magic = stream.read(4)
    packed = magic.startswith(_PACKED)
    is_plain = not packed and encoding in ("utf-8", "utf-8-sig")
    with _unpacked(file, magic) as stream:
        lines, is_regular = _decode(stream, file.stat().st_size, encoding, None if is_plain else target)
    return Plain(file if is_plain else target, lines, is_regular)


def _encoding(contract: Contract) -> str:
    try:
        return codecs.lookup(contract.encoding).name
    except LookupError as error:
        raise UsageError(
            f"{contract.yaml_file}: {contract.silo}.{contract.table}: encoding: '{contract.encoding}' is not known"
        ) from error


@contextmanager
def _unpacked(file: Path, magic: bytes) -> Iterator[IO[bytes]]:
    """The file's bytes, out of gzip or a zip archive of one file."""
    try:
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(file) as stream:
                yield cast(IO[bytes], stream)
        elif magic == b"PK\x03\x04":
            with zipfile.ZipFile(file) as archive:
                members = [
                    member
                    for member in archive.infolist()
                    # macOS packs its notes about a file beside it.
                    if not member.is_dir() and not member.filename.startswith("__MACOSX/")
                ]
                if len(members) != 1:
                    raise FileFault(f"the archive holds {len(members)} files; one is expected")
                with archive.open(members[0]) as stream:
                    yield stream
        else:
            with file.open("rb") as stream:
                yield stream
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError, OSError) as error:
        if not magic.startswith(_PACKED) or (isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)):
            raise  # the disk's fault, or ours
        raise FileFault(f"the archive is broken or cut short: {error}") from error


def _decode(stream: IO[bytes], packed_size: int, encoding: str, target: Path | None) -> tuple[int, bool]:
    """Decodes the whole stream, copying it in UTF-8 to `target`; returns its lines, and whether they are regular."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, last, offset = 0, "\n", 0
    is_regular = True
    with (target or Path("/dev/null")).open("wb") as writing:
        while True:
            block = stream.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                start = offset + getattr(error, "start", 0)
                raise FileFault(f"not readable as {encoding}: wrong bytes at about byte {start}") from error
            offset += len(block)
            if offset > _BOMB_BYTES and offset > _BOMB_RATIO * packed_size:
                raise FileFault(f"the archive unpacks to more than {_BOMB_RATIO} times its size")
            lines += text.count("\n")
            if "\r" in text or last == "\r":
                ends = ("\r" + text if last == "\r" else text).removesuffix("\r")
                is_regular = is_regular and ends.count("\r") == ends.count("\r\n")
            is_regular = is_regular and "\x1f" not in text
            last = text[-1:] or last
            if target:
                writing.write(text.encode())
            if not block:
                return lines + (last != "\n"), is_regular and last != "\r"
