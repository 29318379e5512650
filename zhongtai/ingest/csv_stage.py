"""CSV to text columns in Parquet: by DuckDB where the line count proves that it saw every record, else exactly."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhongtai.errors import UsageError
from zhongtai.ingest import csv_records
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.csv_records import Record
from zhongtai.sql import quote_files, quote_literal, read_parquet, scalar

if TYPE_CHECKING:
    import duckdb

_BLOCK = 1 << 20
_BATCH_ROWS = 50_000
_BATCH_CHARACTERS = 1 << 25

_FEWER = "fewer values than the header's {}"
_MORE = "more values than the header's {}"


class FileFault(Exception):
    """A file as a whole cannot be used.

    Attributes:
        rows: its rows, where they could be counted.
    """

    def __init__(self, message: str, rows: int = 0) -> None:
        super().__init__(message)
        self.rows = rows


@dataclass(frozen=True)
class CsvSource:
    """A CSV file in UTF-8.

    Attributes:
        lines: physical lines, by line feeds.
        names: the header, as it stands.
    """

    file: Path
    delimiter: str
    quote: str
    lines: int
    names: list[str]

    def records(self) -> Iterator[Record]:
        """Every record, the header first."""
        return csv_records.records(self.file, self.delimiter, self.quote, "utf-8-sig")


def open_csv(contract: Contract, file: Path, folder: Path) -> CsvSource:
    """Checks the encoding, copies into UTF-8 where it is another, and reads the header.

    Raises:
        FileFault: wrong encoding, or no header.
        UsageError: the contract names an encoding that Python does not know.
    """
    try:
        encoding = codecs.lookup(contract.encoding).name
    except LookupError as error:
        raise UsageError(
            f"{contract.yaml_file}: {contract.silo}.{contract.table}: encoding: '{contract.encoding}' is not known"
        ) from error
    readable = file if encoding in ("utf-8", "utf-8-sig") else folder / "utf8.csv"
    lines = _decode(file, encoding, readable if readable != file else None)
    source = CsvSource(readable, contract.delimiter, contract.quote, lines, [])
    header = next(source.records(), None)
    if header is None:
        raise FileFault("the file is empty: not even a header")
    if header.values is None:
        raise FileFault(f"the header cannot be read: {header.error}")
    return CsvSource(readable, contract.delimiter, contract.quote, lines, header.values)


def count(source: CsvSource) -> int:
    """The file's records, the header not counted."""
    return sum(1 for _ in source.records()) - 1


def to_parquet(connection: duckdb.DuckDBPyConnection, source: CsvSource, folder: Path) -> list[Path]:
    """Writes the records as Parquet files with `_row_number`, `_line_number`, `_structure`, `_record`, `c0`, `c1` …"""
    # In a file of one column a blank line could be an empty value: only the exact reader says no.
    staged = _by_engine(connection, source, folder) if len(source.names) > 1 else None
    return staged or [_exactly(source, folder / "exact.parquet")]


def _decode(file: Path, encoding: str, target: Path | None) -> int:
    """Decodes the whole file, copying it in UTF-8 to `target`; returns its lines."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, last, offset = 0, "\n", 0
    with file.open("rb") as reading, (target or Path("/dev/null")).open("wb") as writing:
        while True:
            block = reading.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError as error:
                start = offset + getattr(error, "start", 0)
                raise FileFault(f"not readable as {encoding}: wrong bytes at about byte {start}") from error
            offset += len(block)
            lines += text.count("\n")
            last = text[-1:] or last
            if target:
                writing.write(text.encode())
            if not block:
                return lines + (last != "\n")


def _by_engine(connection: duckdb.DuckDBPyConnection, source: CsvSource, folder: Path) -> list[Path] | None:
    """DuckDB's fast reader; None where it cannot be proven that it saw every record as one line."""
    import duckdb

    accepted, rejected = folder / "accepted.parquet", folder / "rejected.parquet"
    columns = ", ".join(f"'c{place}': 'varchar'" for place in range(len(source.names)))
    connection.execute("drop table if exists reject_errors")
    connection.execute("drop table if exists reject_scans")
    try:
        connection.execute(
            f"copy (select n as _row_number, n + 1 as _line_number, * exclude (n) "
            f"from (select row_number() over () as n, * from read_csv({quote_files([source.file])}, "
            f"auto_detect = false, header = true, delim = {quote_literal(source.delimiter)}, "
            f"quote = {quote_literal(source.quote)}, escape = {quote_literal(source.quote)}, comment = '', "
            f"columns = {{{columns}}}, store_rejects = true, rejects_limit = 0, compression = 'none'))) "
            f"to {quote_literal(str(accepted))} (format parquet)"
        )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return None
    _write_rejected(connection, len(source.names), rejected)
    rows = scalar(connection, f"select count(*) from {read_parquet([accepted])}")
    lines = scalar(connection, f"select count(*) from {read_parquet([rejected])}")
    strange = scalar(connection, f"select count(*) from {read_parquet([rejected])} where _structure is null")
    if strange or rows + lines + 1 != source.lines:
        return None
    if lines:
        accepted = _numbered(connection, accepted, rejected, folder / "numbered.parquet")
    return [accepted, rejected]


def _write_rejected(connection: duckdb.DuckDBPyConnection, width: int, file: Path) -> None:
    """One row a rejected line; a line with two faults has two entries in DuckDB's table.

    `_structure` is NULL for faults that are not about the number or the quotes of values.
    """
    connection.execute(
        f"""
        copy (
            select
                cast(line - 1 as bigint) as _row_number,
                cast(line as bigint) as _line_number,
                case
                    when bool_or(error_type = 'UNQUOTED VALUE') then 'broken quotes: ' || min(error_message)
                    when bool_and(error_type = 'MISSING COLUMNS') then {quote_literal(_FEWER.format(width))}
                    when bool_and(error_type = 'TOO MANY COLUMNS') then {quote_literal(_MORE.format(width))}
                end as _structure,
                rtrim(min(csv_line), chr(13) || chr(10)) as _record
            from reject_errors
            group by line
            order by line
        ) to {quote_literal(str(file))} (format parquet)
        """
    )


def _numbered(connection: duckdb.DuckDBPyConnection, accepted: Path, rejected: Path, numbered: Path) -> Path:
    """Gives the accepted rows their place in the file, from how many rejected ones stand before each."""
    connection.execute(
        f"""
        copy (
            with rejected as (
                select _row_number - row_number() over (order by _row_number) as accepted_before
                from {read_parquet([rejected])}
            ),
            steps as (
                select accepted_before, sum(count(*)) over (order by accepted_before) as rejected_so_far
                from rejected group by accepted_before
            )
            select
                accepted.* replace (
                    cast(accepted._row_number + coalesce(rejected_so_far, 0) as bigint) as _row_number,
                    cast(accepted._line_number + coalesce(rejected_so_far, 0) as bigint) as _line_number
                )
            from {read_parquet([accepted])} as accepted
            asof left join steps on accepted._row_number > steps.accepted_before
            order by accepted._row_number
        ) to {quote_literal(str(numbered))} (format parquet)
        """
    )
    return numbered


def _exactly(source: CsvSource, file: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    width = len(source.names)
    schema = pa.schema(
        [
            ("_row_number", pa.int64()),
            ("_line_number", pa.int64()),
            ("_structure", pa.string()),
            ("_record", pa.string()),
            *((f"c{place}", pa.string()) for place in range(width)),
        ]
    )
    with pq.ParquetWriter(file, schema) as writer:
        for batch in _batches(source, width):
            arrays = [
                pa.array(values, field.type) for values, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return file


def _batches(source: CsvSource, width: int) -> Iterator[list[tuple[Any, ...]]]:
    """Rows for Parquet, in batches of bounded size."""
    batch: list[tuple[Any, ...]] = []
    characters = 0
    nothing = (None,) * width
    records = source.records()
    next(records)  # the header
    for number, record in enumerate(records, start=1):
        characters += len(record.text)
        values = record.values
        if values is not None and len(values) > width and not any(values[width:]):
            values = values[:width]  # empty values behind the last column, which DuckDB does not mind either
        if values is not None and len(values) == width:
            batch.append((number, record.line, None, None, *values))
        else:
            problem = record.error or (_FEWER if len(values or ()) < width else _MORE).format(width)
            batch.append((number, record.line, problem, record.text, *nothing))
        if len(batch) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
