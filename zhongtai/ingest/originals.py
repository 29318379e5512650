"""Records of landed files as they came, by their number: what quarantine shows masked is whole in landing alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from zhongtai.ingest import casts, csv_records, parquet_stage, workbook_stage
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.unpack import original_text, plain_form

_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Original:
    """A record.

    Attributes:
        number: in its file, from 1.
        byte_offset: where it begins in the file, out of its archive; None where the form has no such place.
        values: by the file's column names; None where the record is broken.
        text: of a broken record.
    """

    number: int
    byte_offset: int | None
    values: dict[str, str | None] | None
    text: str | None = None


def originals(contract: Contract, file: Path, wanted: Sequence[int]) -> Iterator[Original]:
    """The records with these numbers, in their order; the file is read up to the last of them.

    Args:
        wanted: numbers in ascending order, of a file that was loaded by this contract.
    """
    with _plain(contract, file) as plain:
        yield from _wanted_records(contract, plain, wanted)


def _wanted_records(contract: Contract, file: Path, wanted: Sequence[int]) -> Iterator[Original]:
    reader = {"csv": _csv, "jsonl": _lines, "json": _document, "xlsx": _sheet, "parquet": _parquet}[contract.format]
    numbers = iter(wanted)
    number = next(numbers, None)
    if number is None:
        return
    for record in reader(contract, file, wanted):
        if record.number == number:
            yield _by_contract(contract, record)
            number = next(numbers, None)
            if number is None:
                return


def names(contract: Contract, file: Path) -> list[str]:
    """The file's header; empty where it has none, as JSON does not.

    Raises:
        FileFault: the file cannot be read.
    """
    if contract.format == "csv":
        with original_text(contract, file, newline="") as (stream, encoding):
            header = next(csv_records.records_of(_Measured(stream, encoding), contract.delimiter, contract.quote), None)
            return contract.called(_names(header.values or [])) if header else []
    with _plain(contract, file) as plain:
        if contract.format == "xlsx":
            return contract.called(_names(workbook_stage.open_sheet(contract, 0, plain).names))
        if contract.format == "parquet":
            import duckdb

            with duckdb.connect() as connection:
                return contract.called(_names(parquet_stage.open_parquet(connection, 0, plain).names))
    return []


@contextmanager
def _plain(contract: Contract, file: Path) -> Iterator[Path]:
    """The file; a workbook or Parquet file out of its archive, for as long as it is read."""
    if contract.format not in ("xlsx", "parquet"):
        yield file
        return
    with TemporaryDirectory() as folder:
        yield plain_form(contract, file, Path(folder))


def sample(contract: Contract, file: Path, records: int) -> dict[str, list[str]]:
    """The values of a file's first records, without empty ones, by the file's column names.

    Raises:
        FileFault: the file cannot be read.
    """
    values: dict[str, list[str]] = {name: [] for name in names(contract, file)}
    for record in originals(contract, file, range(1, records + 1)):
        for name, value in (record.values or {}).items():
            found = values.setdefault(name.strip(), [])
            if value is not None and value.strip():
                found.append(value)
    return values


def _by_contract(contract: Contract, record: Original) -> Original:
    """The record with the columns' own names, where its file has others."""
    if record.values is None:
        return record
    names = contract.called(list(record.values))
    return replace(record, values=dict(zip(names, record.values.values(), strict=True)))


class _Measured:
    """The lines of a text, and the byte at which each begins."""

    def __init__(self, stream: TextIO, encoding: str) -> None:
        self._stream = stream
        self._encoding = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
        self._starts: dict[int, int] = {}
        self._next = 0
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._stream:
            line = text
            if not self._number and text.startswith(_MARK):
                line = text[1:]
                self._next = len(_MARK.encode(self._encoding))
            self._number += 1
            self._starts[self._number] = self._next
            self._next += len(line.encode(self._encoding))
            yield line

    def start(self, line: int) -> int:
        """The byte at which a line begins; those before it are forgotten."""
        while (first := next(iter(self._starts))) < line:
            del self._starts[first]
        return self._starts[line]


def _csv(contract: Contract, file: Path, _wanted: Sequence[int]) -> Iterator[Original]:
    with original_text(contract, file, newline="") as (stream, encoding):
        lines = _Measured(stream, encoding)
        records = csv_records.records_of(lines, contract.delimiter, contract.quote)
        header = _names(next(records).values or [])
        for number, record in enumerate(records, start=1):
            values, width = record.values, len(header)
            if values is not None and len(values) > width and not any(values[width:]):
                values = values[:width]
            named = None
            if values is not None and len(values) == width:
                named = {name: value or None for name, value in zip(header, values, strict=True)}
            yield Original(number, lines.start(record.line), named, None if named else record.text)


def _lines(contract: Contract, file: Path, _wanted: Sequence[int]) -> Iterator[Original]:
    number = 0
    with original_text(contract, file, newline="\n") as (stream, encoding):
        lines = _Measured(stream, encoding)
        for line, text in enumerate(lines, start=1):
            if text.strip(" \t\r\n"):
                number += 1
                values = _json_values(text)
                yield Original(number, lines.start(line), values, None if values else text.rstrip("\r\n"))


def _document(contract: Contract, file: Path, _wanted: Sequence[int]) -> Iterator[Original]:
    with original_text(contract, file, newline="") as (stream, _):
        content = json.loads(stream.read().removeprefix(_MARK))
    for key in filter(None, contract.records.split(".")):
        content = content[key]
    for number, record in enumerate(content, start=1):
        text = json.dumps(record, ensure_ascii=False)
        values = _json_values(text)
        yield Original(number, None, values, None if values else text)


def _sheet(contract: Contract, file: Path, _wanted: Sequence[int]) -> Iterator[Original]:
    source = workbook_stage.open_sheet(contract, 0, file)
    header = _names(source.names)
    for row in workbook_stage.records(source):
        yield Original(row.number, None, dict(zip(header, row.values, strict=True)))


def _parquet(_contract: Contract, file: Path, wanted: Sequence[int]) -> Iterator[Original]:
    import duckdb

    with duckdb.connect() as connection:
        source = parquet_stage.open_parquet(connection, 0, file)
        texts = ", ".join(casts.as_text(f"c{place}", kind) for place, kind in enumerate(source.types))
        numbers = ", ".join(map(str, wanted))
        result = connection.execute(
            f"select _row_number, {texts} from ({parquet_stage.stage([source])}) where _row_number in ({numbers}) "
            "order by _row_number"
        )
        header = _names(source.names)
        while rows := result.fetchmany(1_000):
            for number, *values in rows:
                yield Original(number, None, dict(zip(header, values, strict=True)))


def _names(found: Sequence[str]) -> list[str]:
    """A header's names as the reader has them."""
    return [name.strip() or f"column {place}" for place, name in enumerate(found, start=1)]


def _json_values(text: str) -> dict[str, str | None] | None:
    """An object's values as text, numbers as they are written; None of what is no object, or names a value twice."""
    try:
        record = json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=_once)
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    return {name: _json_text(value, plain[name]) for name, value in record.items()}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a name is there twice")
    return record


def _json_text(value: object, plain: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(plain, ensure_ascii=False)
