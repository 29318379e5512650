"""JSON lines and JSON documents to judged rows: a record is an object, its values become text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest.contract import Column, Contract
from zhongtai.ingest.faults import Judge
from zhongtai.ingest.staged import Row, keep, numbered, position_of, position_values, write_rows
from zhongtai.ingest.unpack import FileFault, plain_text
from zhongtai.sql import quote_files, quote_identifier, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb

# Longer records and larger documents are read as a whole, which memory has to hold.
_LINE_BYTES = 1 << 21
_DOCUMENT_BYTES = 1 << 28
# The engine reads a file of JSON lines with one thread where it reads as many files, or more, than it has threads; two
# are read at a time (the file and the names that its records may have).
LEAST_THREADS = 3
# Cannot stand in valid JSON, so that a line is never split.
_NO_DELIMITER = "\x1f"
_NUMBER = r"\s*:\s*(-?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?)"
_DOUBLE_DIGITS = 16
_LONG_FRACTION = re.compile(rb"\d{13,}\.\d")
_STRING_OR_FRACTION = re.compile(rb'"(?:[^"\\]|\\.)*"|(-?\d{13,}\.\d+(?:[eE][+-]?\d+)?)')
_FILE = "_file"
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
    plain = plain_text(contract, file, folder / f"{position:08d}.json")
    if not plain.lines:
        raise FileFault("the file is empty")
    if contract.format == "json" and plain.file.stat().st_size > _DOCUMENT_BYTES:
        raise FileFault(f"a document of more than {_DOCUMENT_BYTES:,} bytes; let the silo write JSON lines or pages")
    file = _with_exact_numbers(plain.file, folder) if contract.format == "json" else plain.file
    return JsonSource(position, file, plain.lines, plain.is_regular)


def _with_exact_numbers(file: Path, folder: Path) -> Path:
    """The document with fractions that are longer than a double as texts: the parser would round them."""
    content = file.read_bytes()
    if not _LONG_FRACTION.search(content):
        return file
    exact = folder / f"exact-{file.name.split('_')[0].removesuffix('.json')}.json"
    exact.write_bytes(_STRING_OR_FRACTION.sub(lambda found: b'"' + found[1] + b'"' if found[1] else found[0], content))
    return exact


def in_order(contract: Contract, position: int, file: Path, folder: Path) -> str | None:
    """SQL of one file's records as the engine's own reader gives them, fast; fails where one is broken.

    It fails as well where a record has a name twice or one that the contract does not know: the engine's reader holds
    files to the names that it found in the first, so that a record of the contract's names is read before them. It
    keeps fractions as doubles: a value that this may have changed makes `_structure` ask for a closer look.

    Returns:
        None where the engine cannot tell the names apart: it knows no case.
    """
    sources = [column.source_name for column in contract.columns]
    if len({name.lower() for name in [*sources, _FILE]}) <= len(sources):
        return None
    example = folder / "names.jsonl"
    example.write_text(json.dumps(dict.fromkeys(sources, "text"), ensure_ascii=False) + "\n", encoding="utf-8")
    names = [quote_identifier(name) for name in sources]
    values = ", ".join(f"{name} as s{index}" for index, name in enumerate(names))
    odd = [
        condition
        for name, column in zip(names, contract.columns, strict=True)
        if (condition := _may_differ(name, column)) is not None
    ]
    return (
        f"select cast({position} as integer) as _file_position, cast(null as bigint) as _row_number, "
        "cast(null as bigint) as _line_number, "
        f"case when coalesce({' or '.join(odd) or 'false'}, false) then 'other' end as _structure, "
        f"cast(null as varchar) as _record, {values}, cast(null as varchar) as _extra "
        f"from read_json({quote_files([example, file])}, format = 'newline_delimited', maximum_sample_files = 1, "
        f"compression = 'uncompressed', filename = '{_FILE}') where {_FILE} = {quote_literal(str(file))}"
    )


def stage_lines(
    connection: duckdb.DuckDBPyConnection, judge: Judge, sources: list[JsonSource], folder: Path
) -> list[str]:
    """Reads files of a record a line, casting on the way; returns queries that together give their judged rows."""
    import duckdb

    lines = folder / "lines.parquet"
    proven: set[int] = set()
    regular = [source for source in sources if source.is_regular]
    try:
        if regular:
            keep(connection, _judged(judge, _lines(regular)), lines)
            seen = connection.execute(
                f"select _file_position, count(*) from {read_parquet([lines])} group by _file_position"
            ).fetchall()
            proven = {source.position for source in regular if (source.position, source.lines) in seen}
    except duckdb.OutOfMemoryException:
        raise
    except (duckdb.Error, UnicodeDecodeError):  # the engine's message may be cut within a character
        proven = set()  # a line is too long, or holds what JSON cannot
    queries = []
    if proven:
        kept = ", ".join(str(position) for position in sorted(proven))
        rows = numbered(lines, [source.position for source in regular])
        queries.append(f"select * replace (_row_number as _line_number) from ({rows}) where _file_position in ({kept})")
    left = [source for source in sources if source.position not in proven]
    if left:
        exact = write_rows((row for source in left for row in _exact_rows(source)), 1, folder / "exact.parquet")
        records = f"select _file_position, _row_number, _line_number, c0 as record from {read_parquet([exact])}"
        queries.append(keep(connection, _judged(judge, records), folder / "judged.parquet"))
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
    connection: duckdb.DuckDBPyConnection, judge: Judge, sources: list[JsonSource], folder: Path
) -> list[str]:
    """Reads documents; returns queries that together give their judged rows."""
    records = f"""
        with places(filename, position) as (values {_places(sources)}),
        documents as (
            select position, cast(json_extract(content, {_path(judge.contract)}) as json[]) as records
            from {_documents(sources)} inner join places using (filename)
        )
        select
            cast(position as integer) as _file_position,
            unnest(generate_series(1, len(records))) as _row_number,
            cast(null as bigint) as _line_number,
            cast(unnest(records) as varchar) as record
        from documents
    """
    return [keep(connection, _judged(judge, records), folder / "judged.parquet")]


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


def _lines(sources: list[JsonSource]) -> str:
    """SQL of every line that is not blank in its place, without numbers; fails where one is too long."""
    position = position_of(_FILE) if len(sources) > 1 else str(sources[0].position)
    return (
        f"select cast({position} as integer) as _file_position, cast(null as bigint) as _row_number, "
        f"cast(null as bigint) as _line_number, record "
        f"from read_csv({quote_files([source.file for source in sources])}, auto_detect = false, header = false, "
        f"delim = {quote_literal(_NO_DELIMITER)}, quote = '', escape = '', comment = '', strict_mode = false, "
        f"columns = {{'record': 'varchar'}}, max_line_size = {_LINE_BYTES}, "
        f"compression = 'none', filename = '{_FILE}') "
        # Nearly every record begins with a brace; to trim a record takes longer than to parse it.
        f"where case when record > ' ' || chr(127) then true else trim(record, {_BLANKS}) <> '' end"
    )


def _exact_rows(source: JsonSource) -> Iterator[Row]:
    """Every line that is not blank, as Python reads it."""
    number = 0
    with source.file.open(encoding="utf-8-sig", newline="\n") as stream:
        for line, text in enumerate(stream, start=1):
            if text.strip(" \t\r\n"):
                number += 1
                yield Row(source.position, number, line, None, None, [text.rstrip("\r\n")])


def _judged(judge: Judge, records: str) -> str:
    """SQL of judged rows, from `_file_position`, `_row_number`, `_line_number` and `record`."""
    return judge.judged(_values(judge.contract, records), ["VARCHAR"] * len(judge.contract.columns))


def _values(contract: Contract, records: str) -> str:
    """SQL of the records' values as text."""
    values = ", ".join(f"{_value(column)} as s{index}" for index, column in enumerate(contract.columns))
    usual = ", ".join(quote_literal(column.source_name) for column in contract.columns)
    known = ", ".join(quote_literal(name) for column in contract.columns for name in _names(column))
    doubled = " or ".join(
        [
            "len(list_distinct(_keys)) < len(_keys)",
            *(_is_there_twice(column) for column in contract.columns if column.also_named),
        ]
    )
    # Without recursion: a value nested a million deep must not take the process down.
    unknown = f"list_filter(_keys, lambda name: name not in ({known}))"
    pointer = "'/' || replace(replace(name, '~', '~0'), '/', '~1')"
    value = f"cast(json_extract(record, {pointer}) as varchar)"
    # What the parser takes for numbers, and JSON does not know.
    sound = f"if({value} in ('NaN', 'Infinity', '-Infinity'), '\"' || {value} || '\"', {value})"
    member = f"cast(to_json(name) as varchar) || ':' || {sound}"
    # Nearly every record has just the known keys in their order, and is proven so at once.
    return f"""
        select
            _file_position,
            _row_number,
            _line_number,
            case when not _is_record then 'not a JSON object' when _is_doubled then 'a name is there twice' end
                as _structure,
            case when not _is_record or _is_doubled then record end as _record,
            {values},
            case when _has_more then
                '{{' || array_to_string(list_transform({unknown}, lambda name: {member}), ',') || '}}'
            end as _extra
        from (
            select *,
                case when _is_record then from_json(record, {quote_literal(_shape(contract))}) end as _values,
                case when _is_usual or not _is_record then false else not list_has_all([{known}], _keys)
                end as _has_more,
                case when _is_usual or not _is_record then false else {doubled}
                end as _is_doubled
            from (
                select *,
                    case when _is_usual then true when json_valid(record) then json_type(record) = 'OBJECT' else false
                    end as _is_record
                from (
                    select *, coalesce(_keys = [{usual}], false) as _is_usual
                    from (select *, try(json_keys(record)) as _keys from ({records}))
                )
            )
        )
    """


def _shape(contract: Contract) -> str:
    names = [name for column in contract.columns for name in _names(column)]
    return json.dumps(dict.fromkeys(names, "VARCHAR"), ensure_ascii=False)


def _names(column: Column) -> tuple[str, ...]:
    return (column.source_name, *column.also_named)


def _is_there_twice(column: Column) -> str:
    """SQL of whether a record has the column under two of its names."""
    names = ", ".join(map(quote_literal, _names(column)))
    return f"len(list_intersect(_keys, [{names}])) > 1"


def _value(column: Column) -> str:
    """SQL of a record's value as text, under whichever of its names it has it."""
    values = [_value_of(column, name) for name in _names(column)]
    return f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]


def _value_of(column: Column, source_name: str) -> str:
    """SQL of a record's value as text.

    The parser keeps fractions as doubles: of decimals that are longer than a double, and of numbers in a column of
    text, what is written is taken where it is the same number.
    """
    value = f"_values.{quote_identifier(source_name)}"
    may_differ = _may_differ(value, column)
    if may_differ is None:
        return value
    name = re.escape(json.dumps(source_name, ensure_ascii=False))
    written = f"regexp_extract(record, {quote_literal(name + _NUMBER)}, 1)"
    same = f"try_cast({written} as double) = try_cast({value} as double)"
    return f"case when {may_differ} then case when {same} then {written} else {value} end else {value} end"


def _may_differ(value: str, column: Column) -> str | None:
    """SQL of whether a value may be another number than what is written; None where that does not matter."""
    if column.data_type.startswith("decimal"):
        return f"length({value}) >= {_DOUBLE_DIGITS}"
    if column.data_type == "string":
        return f"case when {value} < ':' and contains({value}, '.') then try_cast({value} as double) is not null end"
    return None
