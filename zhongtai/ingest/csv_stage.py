"""CSV to judged rows: by DuckDB where the line count proves that it saw every record, else exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhongtai.ingest import csv_records
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.csv_records import Record
from zhongtai.ingest.staged import Row, keep, numbered, position_of, position_values, write_rows
from zhongtai.ingest.unpack import FileFault, Plain, plain_text
from zhongtai.sql import quote_files, quote_literal, read_parquet, scalar

if TYPE_CHECKING:
    import duckdb

_FEWER = "fewer values than the header's {}"
_MORE = "more values than the header's {}"


@dataclass(frozen=True)
class CsvSource:
    """A CSV file in UTF-8.

    Attributes:
        position: of the landed file.
        lines: physical lines, by line feeds.
        names: the header, as it stands.
    """

    position: int
    file: Path
    delimiter: str
    quote: str
    lines: int
    names: tuple[str, ...]

    def records(self) -> Iterator[Record]:
        """Every record, the header first."""
        return csv_records.records(self.file, self.delimiter, self.quote, "utf-8-sig")

    def count(self) -> int:
        """The file's records, the header not counted."""
        return sum(1 for _ in self.records()) - 1


def open_csv(contract: Contract, position: int, file: Path, folder: Path, plain: Plain | None = None) -> CsvSource:
    """Checks archive and encoding, unpacks and decodes where that is needed, and reads the header.

    Args:
        plain: the file, where that is known already.

    Raises:
        FileFault: a broken archive, a wrong encoding, or no header.
    """
    plain = plain or plain_text(contract, file, folder / f"{position:08d}.csv")
    source = CsvSource(position, plain.file, contract.delimiter, contract.quote, plain.lines, ())
    header = next(source.records(), None)
    if header is None:
        raise FileFault("the file is empty: not even a header")
    if header.values is None:
        raise FileFault(f"the header cannot be read: {header.error}")
    return CsvSource(position, plain.file, contract.delimiter, contract.quote, plain.lines, tuple(header.values))


def in_order(source: CsvSource) -> str:
    """SQL of one file's records, which are all there where they are one less than its lines.

    A rejected line is missing, so that the count tells; a file of one column cannot be told.
    """
    return _contents([source])


def stage(
    connection: duckdb.DuckDBPyConnection, sources: list[CsvSource], folder: Path, judged: Callable[[str], str]
) -> list[str]:
    """Reads files with one header, casting on the way; returns queries that together give their judged rows.

    Args:
        judged: turns a query of `c0` … into one of judged rows.
    """
    width = len(sources[0].names)
    # In a file of one column a blank line could be an empty value: only the exact reader says no.
    queries, unproven = _by_engine(connection, sources, folder, judged) if width > 1 else ([], sources)
    if unproven:
        rows = (row for source in unproven for row in _exact_rows(source, width))
        exact = f"select * from {read_parquet([write_rows(rows, width, folder / 'exact.parquet')])}"
        queries.append(keep(connection, judged(exact), folder / "judged.parquet"))
    return queries


def _by_engine(
    connection: duckdb.DuckDBPyConnection, sources: list[CsvSource], folder: Path, judged: Callable[[str], str]
) -> tuple[list[str], list[CsvSource]]:
    """DuckDB's fast reader; the second result are the files of which it cannot be proven that it saw every record."""
    import duckdb

    accepted, rejected = folder / "accepted.parquet", folder / "rejected.parquet"
    connection.execute("drop table if exists reject_errors")
    connection.execute("drop table if exists reject_scans")
    try:
        keep(connection, judged(_contents(sources)), accepted)
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, UnicodeDecodeError):  # the engine's message may be cut within a character
        return _one_by_one(connection, sources, folder, judged)
    _write_rejected(connection, sources, rejected)
    proven = _proven(connection, sources, accepted, rejected)
    if not proven:
        return [], sources
    kept = f"where _file_position in ({', '.join(str(position) for position in sorted(proven))})"
    queries = [f"select * from ({_numbered(connection, sources, accepted, rejected)}) {kept}"]
    if scalar(connection, f"select count(*) from {read_parquet([rejected])} {kept}"):
        nothing = ", ".join(f"cast(null as varchar) as c{place}" for place in range(len(sources[0].names)))
        queries.append(judged(f"select *, {nothing} from {read_parquet([rejected])} {kept}"))
    return queries, [source for source in sources if source.position not in proven]


def _one_by_one(
    connection: duckdb.DuckDBPyConnection, sources: list[CsvSource], folder: Path, judged: Callable[[str], str]
) -> tuple[list[str], list[CsvSource]]:
    """After a failure: one file is to blame, and must not slow down the others."""
    queries: list[str] = []
    unproven: list[CsvSource] = []
    if len(sources) == 1:
        return queries, sources
    for source in sources:
        place = folder / f"alone-{source.position}"
        place.mkdir()
        read, left = _by_engine(connection, [source], place, judged)
        queries += read
        unproven += left
    return queries, unproven


def _contents(sources: list[CsvSource]) -> str:
    """SQL of the files' records in their order, without numbers."""
    first = sources[0]
    columns = ", ".join(f"'c{place}': 'varchar'" for place in range(len(first.names)))
    position = position_of("_file") if len(sources) > 1 else str(first.position)
    return (
        f"select cast({position} as integer) as _file_position, cast(null as bigint) as _row_number, "
        "cast(null as bigint) as _line_number, cast(null as varchar) as _structure, cast(null as varchar) as _record, "
        f"contents.* exclude (_file) from read_csv({quote_files([source.file for source in sources])}, "
        f"auto_detect = false, header = true, delim = {quote_literal(first.delimiter)}, "
        f"quote = {quote_literal(first.quote)}, escape = {quote_literal(first.quote)}, comment = '', "
        f"columns = {{{columns}}}, store_rejects = true, rejects_limit = 0, compression = 'none', "
        "filename = '_file') as contents"
    )


def _places(sources: list[CsvSource]) -> str:
    return position_values({str(source.file): source.position for source in sources})


def _write_rejected(connection: duckdb.DuckDBPyConnection, sources: list[CsvSource], file: Path) -> None:
    """One row a rejected line; a line with two faults has two entries in DuckDB's table.

    `_structure` is NULL for faults that are not about the number or the quotes of values.
    """
    width = len(sources[0].names)
    connection.execute(
        f"""
        copy (
            with places(file_path, position) as (values {_places(sources)})
            select
                cast(places.position as integer) as _file_position,
                cast(line - 1 as bigint) as _row_number,
                cast(line as bigint) as _line_number,
                case
                    when bool_or(error_type = 'UNQUOTED VALUE') then 'broken quotes: ' || min(error_message)
                    when bool_and(error_type = 'MISSING COLUMNS') then {quote_literal(_FEWER.format(width))}
                    when bool_and(error_type = 'TOO MANY COLUMNS') then {quote_literal(_MORE.format(width))}
                end as _structure,
                rtrim(min(csv_line), chr(13) || chr(10)) as _record
            from reject_errors
            inner join reject_scans using (scan_id, file_id)
            inner join places using (file_path)
            group by places.position, line
        ) to {quote_literal(str(file))} (format parquet)
        """
    )


def _proven(
    connection: duckdb.DuckDBPyConnection, sources: list[CsvSource], accepted: Path, rejected: Path
) -> set[int]:
    """The files whose records, with the header, are as many as their lines."""
    seen = connection.execute(
        f"""
        with seen as (
            select _file_position, count(*) as records, 0 as strange
            from {read_parquet([accepted])} group by _file_position
            union all
            select _file_position, count(*) as records, count(*) - count(_structure) as strange
            from {read_parquet([rejected])} group by _file_position
        )
        select _file_position, if(sum(strange) > 0, -1, sum(records)) from seen group by _file_position
        """
    ).fetchall()
    records = {int(position): int(number) for position, number in seen}
    return {source.position for source in sources if records.get(source.position, 0) + 1 == source.lines}


def _numbered(connection: duckdb.DuckDBPyConnection, sources: list[CsvSource], accepted: Path, rejected: Path) -> str:
    """SQL of the accepted rows with their place in their file: rejected ones that stand before each are counted."""
    positions = [source.position for source in sources]
    before, join = "0", ""
    if scalar(connection, f"select count(*) from {read_parquet([rejected])}"):
        steps = f"steps_{positions[0]}"
        connection.execute(
            f"""
            create or replace temp table {steps} as
            with rejected as (
                select
                    _file_position,
                    _row_number - row_number() over (
                        partition by _file_position order by _row_number
                    ) as accepted_before
                from {read_parquet([rejected])}
            )
            select
                _file_position,
                accepted_before,
                sum(count(*)) over (partition by _file_position order by accepted_before) as rejected_so_far
            from rejected group by _file_position, accepted_before
            """
        )
        before = "coalesce(rejected_so_far, 0)"
        join = (
            f"asof left join {steps} as steps on steps._file_position = rows._file_position "
            "and rows.place > steps.accepted_before"
        )
    # A record is a line, and the header is one, where the line count proves that every record was seen.
    return f"select * replace (_row_number + 1 as _line_number) from ({numbered(accepted, positions, before, join)})"


def _exact_rows(source: CsvSource, width: int) -> Iterator[Row]:
    """The rows of the exact reader."""
    nothing: tuple[Any, ...] = (None,) * width
    records = source.records()
    next(records)  # the header
    for number, record in enumerate(records, start=1):
        values = record.values
        if values is not None and len(values) > width and not any(values[width:]):
            values = values[:width]  # empty values behind the last column, which DuckDB does not mind either
        if values is not None and len(values) == width:
            yield Row(source.position, number, record.line, None, None, values)
        else:
            problem = record.error or (_FEWER if len(values or ()) < width else _MORE).format(width)
            yield Row(source.position, number, record.line, problem, record.text, nothing)
