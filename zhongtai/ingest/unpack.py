"""Files as they arrive, packed or not: text in any encoding into plain UTF-8, with a count of its lines."""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast

from zhongtai.errors import UsageError
from zhongtai.ingest.contract import Contract

_BLOCK = 1 << 20
# What unpacks to more than this, and to more than so many times its own size, is a bomb and no export.
BOMB_BYTES = 1 << 30
BOMB_RATIO = 500
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second is of an archive without files
_PACKED = (b"\x1f\x8b", *_ZIP)
_WORKBOOKS = (".xlsx", ".xlsm")
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_BLANK_FIRST = re.compile("\ufeff?[ \t]*[\r\n]")
_USUAL = ("utf-8", "gb18030")  # in which exports are, in the order in which they prove something
# Encodings of text that no file has: of host names, of source code, of mail.
_NO_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7")


# A way to decode, under a name of ours: U+FFFD for a character that the end of the file cuts off.
_CUT_OFF = "zhongtai.cut_off"
_CUT_REASONS = ("unexpected end of data", "incomplete multibyte sequence", "truncated data")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError) and error.reason in _CUT_REASONS:
        return "\ufffd", len(error.object)
    raise error


codecs.register_error(_CUT_OFF, _replaced)


class FileFault(Exception):
    """A file as a whole cannot be used.

    Attributes:
        rows: its rows, where they could be counted.
    """

    def __init__(self, message: str, rows: int = 0) -> None:
        super().__init__(message)
        self.rows = rows


class MissingColumn(FileFault):
    """A file has no column of a name of the contract's.

    Attributes:
        column: as the contract calls it.
    """

    def __init__(self, message: str, column: str, rows: int = 0) -> None:
        super().__init__(message, rows)
        self.column = column


@dataclass(frozen=True)
class Plain:
    """A text file in UTF-8; a byte order mark may stand at its start.

    Attributes:
        lines: physical lines, by line feeds; of a CSV file whose lines all end in carriage returns, by those. One more
            where a CSV file begins with a blank line, which the fast reader would take for the header: it then cannot
            prove that it saw every record.
        is_regular: no carriage return stands alone, and there is no unit separator, which nobody types.
    """

    file: Path
    lines: int
    is_regular: bool


def plain_text(contract: Contract, file: Path, target: Path) -> Plain:
    """Checks that the whole file is readable; unpacks and decodes it to `target` where it is not plain UTF-8.

    JSON lines that are cut within a character end in U+FFFD: their last line is broken, and no other.

    Raises:
        FileFault: a broken archive, or bytes that are not in the contract's encoding.
        UsageError: the contract names an encoding that Python does not know.
    """
    with file.open("rb") as stream:
        magic = stream.read(4)
    encoding = _encoding(contract)
    packed = magic.startswith(_PACKED)
    is_plain = not packed and encoding in ("utf-8", "utf-8-sig")
    with _unpacked(file, magic) as stream:
        start = stream.read(_BLOCK)
        text = _Text(_byte_order(encoding, start), contract.quote, file.stat().st_size)
        text.decode(start, stream, None if is_plain else target, may_be_cut=contract.format == "jsonl")
    if text.cut_bytes and is_plain:
        _end_in_replacement(file, target, text.cut_bytes)
        is_plain = False
    lines = text.lines + (contract.format == "csv" and text.begins_blank)
    plain = Plain(file if is_plain else target, lines, text.is_regular)
    if contract.format == "csv" and text.is_by_returns and not text.has_quotes and not text.begins_blank:
        return _by_line_feeds(plain, target)
    return plain


def plain_form(contract: Contract, file: Path, folder: Path) -> Path:
    """A workbook or Parquet file out of gzip or a zip archive of one file: itself where it is not packed.

    Args:
        folder: where it is unpacked.

    Raises:
        FileFault: a broken archive, or a bomb.
    """
    with file.open("rb") as stream:
        magic = stream.read(4)
    if not magic.startswith(_PACKED) or (contract.format == "xlsx" and magic in _ZIP and not _holds_a_workbook(file)):
        return file
    target = folder / f"{file.name}.unpacked"
    packed, size = file.stat().st_size, 0
    with _unpacked(file, magic) as stream, target.open("wb") as writing:
        while block := stream.read(_BLOCK):
            size += len(block)
            _check_size(size, packed)
            writing.write(block)
    return target


def _holds_a_workbook(file: Path) -> bool:
    """Whether a zip archive is none itself, as workbooks are, which may have others among their parts, but has one."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name.replace("\\", "/").lower() for name in archive.namelist()]
            return "xl/workbook.xml" not in names and any(name.endswith(_WORKBOOKS) for name in names)
    except zipfile.BadZipFile:
        return False


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > BOMB_BYTES and unpacked > BOMB_RATIO * packed:
        raise FileFault(f"the archive unpacks to more than {BOMB_RATIO} times its size")


@contextmanager
def original_text(contract: Contract, file: Path, newline: str) -> Iterator[tuple[TextIO, str]]:
    """A file that `plain_text` could read, as a text out of its archive, and the encoding that its bytes have.

    Args:
        newline: as `open` has it.
    """
    with file.open("rb") as stream:
        magic = stream.read(4)
    with _unpacked(file, magic) as stream:
        start = stream.read(_BLOCK)
        stream.seek(0)
        encoding = _byte_order(_encoding(contract), start)
        for name, mark in _MARKS.items():
            if start.startswith(mark) and encoding in (name, "utf-16", "utf-8-sig"):
                encoding = name
        codec = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
        errors = _CUT_OFF if contract.format == "jsonl" else "strict"
        yield io.TextIOWrapper(stream, codec, errors=errors, newline=newline), encoding


def _end_in_replacement(file: Path, target: Path, cut_bytes: int) -> None:
    """Copies a file of UTF-8 with U+FFFD in place of its last bytes."""
    shutil.copyfile(file, target)
    with target.open("r+b") as writing:
        writing.seek(-cut_bytes, io.SEEK_END)
        writing.truncate()
        writing.write("\ufffd".encode())


def _encoding(contract: Contract) -> str:
    """The codec's name.

    Raises:
        UsageError: there is none, or it makes something else than text of bytes, as `hex` and `rot13` do.
    """
    try:
        name = codecs.lookup(contract.encoding).name
        "a,\n".encode(name)  # refuses what is no encoding of text
        if name in _NO_FILES:
            raise LookupError
    except (LookupError, UnicodeError) as error:
        raise UsageError(
            f"{contract.yaml_file}: {contract.silo}.{contract.table}: encoding: '{contract.encoding}' is not known as "
            "an encoding of text files. Give for example utf-8, utf-16 or gb18030."
        ) from error
    return name


def _byte_order(encoding: str, start: bytes) -> str:
    """The encoding with its byte order, where the file says nothing of it: Latin letters have a zero byte in front."""
    if encoding != "utf-16" or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return encoding
    is_big_endian = start[::2].count(0) > start[1::2].count(0)
    return "utf-16-be" if is_big_endian else "utf-16-le"


def regular_lines(contract: Contract, file: Path) -> Plain | None:
    """A file of UTF-8 as the silo wrote it, with its lines; None where `plain_text` has to look closer.

    Its bytes are not decoded: the engine refuses what is no UTF-8 when it reads them.
    """
    if _encoding(contract) not in ("utf-8", "utf-8-sig"):
        return None
    import numpy  # counts a byte several times as fast as Python does

    lines, last = 0, b""
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if (not last and block.startswith((*_PACKED, b"\n"))) or b"\r" in block or b"\x1f" in block:
                return None
            lines += int(numpy.count_nonzero(numpy.frombuffer(block, dtype=numpy.uint8) == 0x0A))
            last = block[-1:]
    return Plain(file, lines + (last != b"\n"), is_regular=True) if last else None


def _by_line_feeds(plain: Plain, target: Path) -> Plain:
    """A text without quotes whose lines end in carriage returns alone, with line feeds in their place."""
    renamed = target.with_name(f"{target.name}.lines")
    lines, last = 0, b""
    with plain.file.open("rb") as reading, renamed.open("wb") as writing:
        while block := reading.read(_BLOCK):
            lines += block.count(b"\r")
            last = block[-1:]
            writing.write(block.replace(b"\r", b"\n"))
    return Plain(renamed, lines + (last != b"\r"), is_regular=True)


@contextmanager
def _unpacked(file: Path, magic: bytes) -> Iterator[IO[bytes]]:
    """The file's bytes, out of gzip or a zip archive of one file."""
    try:
        if magic.startswith(b"\x1f\x8b"):
            with gzip.open(file) as stream:
                yield cast(IO[bytes], stream)
        elif magic in _ZIP:
            with zipfile.ZipFile(file) as archive:
                members = [
                    member
                    for member in archive.infolist()
                    # macOS packs its notes about a file beside it.
                    if not member.is_dir() and not member.filename.startswith("__MACOSX/")
                ]
                if len(members) != 1:
                    raise FileFault(f"the archive holds {len(members)} files; one is expected: pack each by itself")
                with archive.open(members[0]) as stream:
                    yield stream
        else:
            with file.open("rb") as stream:
                yield stream
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, ValueError, OSError) as error:
        if not magic.startswith(_PACKED) or (isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)):
            raise  # the disk's fault, or ours
        raise FileFault(f"the archive is broken or cut short: {error}") from error


def _hint(start: bytes, told: str) -> str:
    """What the contract may have to say, where the first bytes of a text are of another encoding than told."""
    marks = [name for name, mark in _MARKS.items() if start.startswith(mark)]
    named = marks[0].removesuffix("-le").removesuffix("-be") if marks else None
    if named is None and not start.isascii():
        named = next((name for name in _USUAL if _is_in(start, name)), None)
    is_new = named is not None and codecs.lookup(named).name != told.removesuffix("-sig")
    return f". It seems to be in {named}: if all files are, write 'encoding: {named}' in the contract" if is_new else ""


def _is_in(start: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)("strict").decode(start)
    except UnicodeDecodeError:
        return False
    return True


class _Text:
    """A text that is decoded as it is read, and what was seen of its lines.

    Attributes:
        lines: by line feeds; what stands behind the last one is a line too.
        has_quotes: whether the quote character is in it, so that a line may end in a value.
        is_regular: as `Plain` has it.
        is_by_returns: whether it has carriage returns, and no line feed.
        begins_blank: whether nothing is in the first line.
        cut_bytes: of a character that the end cuts off; U+FFFD stands for them.
    """

    def __init__(self, encoding: str, quote: str, packed_size: int) -> None:
        self.lines = 0
        self.has_quotes = False
        self.is_regular = True
        self.is_by_returns = False
        self.begins_blank = False
        self.cut_bytes = 0
        self._encoding = encoding
        self._quote = quote
        self._packed_size = packed_size
        self._last = "\n"

    def decode(self, start: bytes, stream: IO[bytes], target: Path | None, *, may_be_cut: bool) -> None:
        """Decodes the whole stream, which goes on after `start`, copying it in UTF-8 to `target`.

        Raises:
            FileFault: wrong bytes, or more of them than an export has.
        """
        decoder = codecs.getincrementaldecoder(self._encoding)("strict")
        offset = 0
        block = start
        with (target or Path("/dev/null")).open("wb") as writing:
            while True:
                try:
                    text = self._decoded(decoder, block, may_be_cut)
                    encoded = text.encode() if target else b""
                except UnicodeError as error:
                    place = offset + getattr(error, "start", 0)
                    message = f"not readable as {self._encoding}: wrong bytes at about byte {place}"
                    raise FileFault(message + _hint(start, self._encoding)) from error
                offset += len(block)
                _check_size(offset, self._packed_size)
                if block is start:
                    self.begins_blank = _BLANK_FIRST.match(text) is not None
                self._look_at(text)
                writing.write(encoded)
                if not block:
                    break
                block = stream.read(_BLOCK)
        self.is_by_returns = self.is_by_returns and self.lines == 0
        self.lines += self._last != "\n"
        self.is_regular = self.is_regular and self._last != "\r"

    def _decoded(self, decoder: codecs.IncrementalDecoder, block: bytes, may_be_cut: bool) -> str:
        try:
            return decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # Bytes that no character begins with are refused before; what is left at the end was waiting for more.
            if block or not may_be_cut:
                raise
            self.cut_bytes = len(error.object)
            return "\ufffd"

    def _look_at(self, text: str) -> None:
        self.lines += text.count("\n")
        if "\r" in text or self._last == "\r":
            self.is_by_returns = True
            ends = ("\r" + text if self._last == "\r" else text).removesuffix("\r")
            self.is_regular = self.is_regular and ends.count("\r") == ends.count("\r\n")
        self.is_regular = self.is_regular and "\x1f" not in text
        self.has_quotes = self.has_quotes or bool(self._quote and self._quote in text)
        self._last = text[-1:] or self._last
