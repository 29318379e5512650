"""A landed file written again without some records: form, packing, encoding, header and all other text stay."""

from __future__ import annotations

import codecs
import gzip
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zhongtai.erasure import binary_forms, json_document
from zhongtai.erasure.search import alone
from zhongtai.ingest import csv_records
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.unpack import plain_form

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


@dataclass
class Changes:
    """What to change in a file; records are numbered from 1.

    Attributes:
        dropped: records to take out.
        blanked: values (column as the file calls it, text) to empty, by record.
        lines: the sheet's row of each of these records, of workbooks.
    """

    dropped: set[int] = field(default_factory=set)
    blanked: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)


def rewrite(source: Path, target: Path, changes: list[tuple[Contract, Changes]], folder: Path) -> None:
    """Writes `source` to `target` with the changes.

    Args:
        changes: of one table; of a workbook, those of every table that has a sheet in it.
        folder: for temporary files in clear.
    """
    contract, one = changes[0]
    plain, changed = folder / "plain", folder / "changed"
    if contract.format in ("xlsx", "parquet"):
        opened = plain_form(contract, source, folder)
        _rewrite_binary(opened, changed, changes)
        if opened == source:
            shutil.move(changed, target)
            return
        _pack_like(source, changed, target)
        opened.unlink()
        changed.unlink()
        return
    unpack(source, plain)
    encoding = _encoding_of(plain, contract)
    with changed.open("w", encoding=encoding, errors=_errors(encoding), newline="") as out:
        if contract.format == "json":
            with plain.open(encoding=encoding, newline="") as stream:
                text = stream.read()
            out.write(_document(text, contract, one))
        else:
            out.writelines(_lines(plain, encoding, contract, one))
    _pack_like(source, changed, target)
    plain.unlink()
    changed.unlink()


def _rewrite_binary(source: Path, target: Path, changes: list[tuple[Contract, Changes]]) -> None:
    contract, one = changes[0]
    if contract.format == "xlsx":
        binary_forms.rewrite_workbook(source, target, [(each.sheet, part.lines, part) for each, part in changes])
    else:
        binary_forms.rewrite_parquet(source, target, contract, one)


def unpack(source: Path, target: Path) -> None:
    """Copies the bytes of a file, out of gzip or a zip archive of one file.

    Raises:
        OSError, EOFError, zipfile.BadZipFile, zlib.error: the archive is broken.
    """
    with source.open("rb") as stream:
        magic = stream.read(4)
    with target.open("wb") as writing:
        if magic.startswith(_GZIP):
            with gzip.open(source) as unpacked:
                shutil.copyfileobj(unpacked, writing)
        elif magic == _ZIP:
            with zipfile.ZipFile(source) as archive, archive.open(_member(archive)) as member:
                shutil.copyfileobj(member, writing)
        else:
            with source.open("rb") as stream:
                shutil.copyfileobj(stream, writing)


def _member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    return next(one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/"))


def _pack_like(source: Path, content: Path, target: Path) -> None:
    with source.open("rb") as stream:
        magic = stream.read(4)
    with content.open("rb") as reading:
        if magic.startswith(_GZIP):
            # No name and no moment in its header: the same content packs to the same bytes.
            with target.open("wb") as plain, gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as writing:
                shutil.copyfileobj(reading, writing)
        elif magic == _ZIP:
            with zipfile.ZipFile(source) as packed, zipfile.ZipFile(target, "w") as archive:
                entry = zipfile.ZipInfo(_member(packed).filename, _member(packed).date_time)
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w", force_zip64=True) as member:
                    shutil.copyfileobj(reading, member)
        else:
            with target.open("wb") as writing_plain:
                shutil.copyfileobj(reading, writing_plain)


def _encoding_of(plain: Path, contract: Contract) -> str:
    """The encoding in which a byte order mark is a character like others, so that it is written again."""
    name = codecs.lookup(contract.encoding).name
    if name == "utf-16":
        with plain.open("rb") as stream:
            return "utf-16-be" if stream.read(2) == codecs.BOM_UTF16_BE else "utf-16-le"
    return {"utf-8-sig": "utf-8"}.get(name, name)


def _errors(encoding: str) -> str:
    """What becomes of the bytes of a character that the end cuts off: they stay where one can stand alone."""
    return "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"


def _lines(plain: Path, encoding: str, contract: Contract, changes: Changes) -> Iterator[str]:
    """The lines that stay. A file of JSON lines keeps an empty one: without any it would be no file of records."""
    is_json = contract.format == "jsonl"
    if is_json:
        # An empty value cannot stand in JSON without quotes.
        spans, ends, nothing = _json_spans(plain, encoding, changes), "\n", "null"
    else:
        spans, ends, nothing = _csv_spans(plain, encoding, contract, changes), "", ""
    start, end, record = next(spans, (0, 0, 0))
    is_empty = True
    with plain.open(encoding=encoding, errors=_errors(encoding), newline=ends) as stream:
        for number, line in enumerate(stream, start=1):
            while end and number >= end:
                start, end, record = next(spans, (0, 0, 0))
            if start and start <= number and record in changes.dropped:
                continue
            is_empty = False
            is_changed = start and start <= number
            yield _blanked(line, changes.blanked[record], nothing) if is_changed else line
    if is_json and is_empty:
        yield "\n"


def _csv_spans(plain: Path, encoding: str, contract: Contract, changes: Changes) -> Iterator[tuple[int, int, int]]:
    """First line, line after the last, and number of each record to change, in their order."""
    wanted = changes.dropped | set(changes.blanked)
    begun: tuple[int, int] | None = None
    without_mark = {"utf-8": "utf-8-sig"}.get(encoding, encoding)
    for number, record in enumerate(csv_records.records(plain, contract.delimiter, contract.quote, without_mark)):
        if begun is not None:
            yield begun[0], record.line, begun[1]
        begun = (record.line, number) if number in wanted else None
    if begun is not None:
        yield begun[0], 1 << 62, begun[1]


def _json_spans(plain: Path, encoding: str, changes: Changes) -> Iterator[tuple[int, int, int]]:
    wanted = changes.dropped | set(changes.blanked)
    record = 0
    with plain.open(encoding=encoding, errors=_errors(encoding), newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip("\ufeff \t\r\n"):
                record += 1
                if record in wanted:
                    yield number, number + 1, record


def _document(text: str, contract: Contract, changes: Changes) -> str:
    for number, (start, end) in reversed(list(enumerate(json_document.spans(text, contract.records), start=1))):
        if number in changes.blanked:
            text = text[:start] + _blanked(text[start:end], changes.blanked[number], "null") + text[end:]
    return json_document.without(text, contract.records, changes.dropped)


def _blanked(text: str, values: list[tuple[str, str]], nothing: str) -> str:
    for value in _longest_first(values):
        form = re.escape(value)
        if nothing:  # JSON: a whole value becomes null, and no name of one; what stands in a longer string goes from it
            form = f"(?:{form}|{re.escape(json.dumps(value)[1:-1])})"
            text = re.sub(rf'"{form}"(?!\s*:)', nothing, text)
            text = re.sub(rf"([:\[,]\s*){form}(?=\s*[,\]}}])", rf"\1{nothing}", text)
        text = re.sub(alone(form), "", text)
    return text


def _longest_first(values: list[tuple[str, str]]) -> list[str]:
    """The texts of values to empty: `86 138 1234 5678` before `138 1234 5678`, which is a part of it."""
    return sorted({text for _, text in values}, key=len, reverse=True)
