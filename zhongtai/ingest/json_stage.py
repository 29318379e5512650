"""JSON lines and JSON documents to text columns: a record is an object, its values become text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest.contract import Contract
from zhongtai.ingest.staged import Row, position_values, write_rows
from zhongtai.ingest.unpack import FileFault, plain_text
from zhongtai.sql import quote_files, quote_identifier, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb

# Longer records and larger documents are read as a whole, which memory has to hold.
_LINE_BYTES = 1 << 21
_DOCUMENT_BYTES = 1 << 28
# Cannot stand in valid JSON, so that a line is never split.
_NO_DELIMITER = "\x1f"
_BLANKS = "' ' || chr(9) || chr(13)"


@dataclass(frozen=True)
class JsonSource:
    """A file of JSON in UTF-8.

    Attributes:
        position: of the landed file.
        lines: physical lines, by line feeds.
        is_regular: whether lines end as DuckDB sees them.
    """

    position: int
    file: Path
    lines: int
    is_regular: bool


def open_json(contract: Contract, position: int, file: Path, folder: Path) -> JsonSource:
    """Checks archive and encoding, and unpacks where that is needed.

    Raises:
        FileFault: a broken archive, a wrong encoding, an empty file, or a document that is too large.
    """
    plain = plain_text(contract, file, folder / f"{position}.json")
    if not plain.lines:
        raise FileFault("the file is empty")
    if contract.format == "json" and plain.file.stat().st_size > _DOCUMENT_BYTES:
        raise FileFault(f"a document of more than {_DOCUMENT_BYTES:,} bytes; let the silo write JSON lines or pages")
    return JsonSource(position, plain.file, plain.lines, plain.is_regular)


def stage_lines(
    connection: duckdb.DuckDBPyConnection, contract: Contract, sources: list[JsonSource], folder: Path
) -> list[str]:
    """Reads files of a record a line; returns queries that together give their records with `s0` … and `_extra`."""
    import duckdb

    lines = folder / "lines.parquet"
    try:
        _read_lines(connection, sources, lines)
        seen = dict(
            connection.execute(
                f"select _file_position, count(nullif(trim(record, {_BLANKS}), '')) from {read_parquet([lines])} "
                "group by _file_position"
            ).fetchall()
        )
        unproven = [source for source in sources if seen.get(source.position) != source.lines or not source.is_regular]
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        unproven = list(sources)
    queries = []
    if len(unproven) < len(sources):
        left = ", ".join(str(source.position) for source in unproven) or "-1"
        queries.append(
            _records(contract, f"select * from {read_parquet([lines])} where _file_position not in ({left})")
        )
    if unproven:
        rows = (row for source in unproven for row in _exact_rows(source))
        exact = write_rows(rows, 1, folder / "exact.parquet")
        numbered = f"select _file_position, _row_number, _line_number, c0 as record from {read_parquet([exact])}"
        queries.append(_records(contract, numbered))
    return queries


def open_documents(
    connection: duckdb.DuckDBPyConnection, contract: Contract, sources: list[JsonSource]
) -> tuple[list[JsonSource], dict[int, FileFault]]:
    """Which documents hold a list of records where the contract says, and what is wrong with the others."""
    checked = connection.execute(
        f"""
        with places(filename, position) as (values {_places(sources)})
        select position, json_valid(content),
            case when json_valid(content) then json_type(content, {_path(contract)}) end
        from {_documents(sources)} inner join places using (filename)
        """
    ).fetchall()
    where = contract.records or "the document"
    faults = {}
    for position, is_valid, kind in checked:
        if not is_valid:
            faults[position] = FileFault("not a JSON document; it may have been cut short")
        elif kind != "ARRAY":
            faults[position] = FileFault(f"there is no list of records at {where}")
    return [source for source in sources if source.position not in faults], faults


def stage_documents(
    connection: duckdb.DuckDBPyConnection, contract: Contract, sources: list[JsonSource], folder: Path
) -> list[str]:
    """Reads documents; returns queries that together give their records with `s0` … and `_extra`."""
    lines = folder / "lines.parquet"
    connection.execute(
        f"""
        copy (
            with places(filename, position) as (values {_places(sources)}),
            documents as (
                select position, cast(json_extract(content, {_path(contract)}) as json[]) as records
                from {_documents(sources)} inner join places using (filename)
            )
            select
                cast(position as integer) as _file_position,
                unnest(generate_series(1, len(records))) as _row_number,
                cast(null as bigint) as _line_number,
                cast(unnest(records) as varchar) as record
            from documents
        ) to {quote_literal(str(lines))} (format parquet)
        """
    )
    return [_records(contract, f"select * from {read_parquet([lines])}")]


def _places(sources: list[JsonSource]) -> str:
    return position_values({str(source.file): source.position for source in sources})


def _documents(sources: list[JsonSource]) -> str:
    """SQL of the documents without byte order marks."""
    files = quote_files([source.file for source in sources])
    return f"(select filename, ltrim(content, chr(65279)) as content from read_text({files}))"


def _path(contract: Contract) -> str:
    """SQL of the path to the records."""
    keys = [key for key in contract.records.split(".") if key]
    return quote_literal("$" + "".join(f".{json.dumps(key, ensure_ascii=False)}" for key in keys))


def _read_lines(connection: duckdb.DuckDBPyConnection, sources: list[JsonSource], lines: Path) -> None:
    """Every line with its number; fails where a line is too long or holds what JSON cannot."""
    connection.execute(
        f"""
        copy (
            with places(name, position) as (values {_places(sources)}),
            contents as (
                select row_number() over () as n, record, name
                from read_csv({quote_files([source.file for source in sources])}, auto_detect = false, header = false,
                    delim = {quote_literal(_NO_DELIMITER)}, quote = '', escape = '', comment = '', strict_mode = false,
                    columns = {{'record': 'varchar'}}, max_line_size = {_LINE_BYTES}, compression = 'none',
                    filename = 'name')
            ),
            firsts as (select name, min(n) - 1 as before from contents group by name)
            select
                cast(places.position as integer) as _file_position,
                cast(contents.n - firsts.before as bigint) as _row_number,
                cast(contents.n - firsts.before as bigint) as _line_number,
                contents.record
            from contents inner join places using (name) inner join firsts using (name)
        ) to {quote_literal(str(lines))} (format parquet)
        """
    )


def _exact_rows(source: JsonSource) -> Iterator[Row]:
    """Every line that is not blank, as Python reads it."""
    number = 0
    with source.file.open(encoding="utf-8-sig", newline="\n") as stream:
        for line, text in enumerate(stream, start=1):
            if text.strip(" \t\r\n"):
                number += 1
                yield Row(source.position, number, line, None, None, [text.rstrip("\r\n")])


def _records(contract: Contract, numbered: str) -> str:
    """SQL of the records' values, from `_file_position`, `_row_number`, `_line_number` and `record`."""
    shape = json.dumps({column.source_name: "VARCHAR" for column in contract.columns}, ensure_ascii=False)
    values = ", ".join(
        f"_values.{quote_identifier(column.source_name)} as s{index}" for index, column in enumerate(contract.columns)
    )
    known = ", ".join(quote_literal(column.source_name) for column in contract.columns)
    # Without recursion: a value nested a million deep must not take the process down.
    unknown = f"list_filter(json_keys(record), lambda name: name not in ({known}))"
    pointer = "'/' || replace(replace(name, '~', '~0'), '/', '~1')"
    member = f"cast(to_json(name) as varchar) || ':' || cast(json_extract(record, {pointer}) as varchar)"
    return f"""
        select
            _file_position,
            _row_number,
            _line_number,
            case when not _is_record then 'not a JSON object' end as _structure,
            case when not _is_record then record end as _record,
            {values},
            case when len(_unknown) > 0 then
                '{{' || array_to_string(list_transform(_unknown, lambda name: {member}), ',') || '}}'
            end as _extra
        from (
            select *,
                case when _is_record then from_json(record, {quote_literal(shape)}) end as _values,
                case when _is_record then {unknown} end as _unknown
            from (
                select *, case when json_valid(record) then json_type(record) = 'OBJECT' else false end as _is_record
                from ({numbered})
            )
        )
    """
