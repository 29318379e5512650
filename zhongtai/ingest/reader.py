"""Landed files of a table as judged rows: numbered, in the contract's types, with what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from zhongtai.ingest import casts, csv_stage, json_stage, parquet_stage, staged, unpack, workbook_stage
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.csv_stage import CsvSource
from zhongtai.ingest.faults import Judge
from zhongtai.ingest.parquet_stage import ParquetSource
from zhongtai.ingest.unpack import FileFault, MissingColumn
from zhongtai.ingest.workbook_stage import SheetSource
from zhongtai.sql import quote_literal, threads

if TYPE_CHECKING:
    import duckdb

_Opened = TypeVar("_Opened")
_WithHeader = TypeVar("_WithHeader", CsvSource, SheetSource, ParquetSource)
# A thread reads CSV in blocks of 32 MB, and some are begun. What is read waits to be written in 4 MiB a column and
# thread at least, for which the engine gives two thirds of what it has left: with less, threads spin and wait.
_CSV_BYTES, _COLUMN_BYTES = 96 << 20, 6 << 20
# Queries of judged rows, and the faults of files that as a whole cannot be used, by position.
_Read = tuple[list[str], dict[int, FileFault]]


@dataclass(frozen=True)
class Header:
    """Which of the file's columns is which of the contract's.

    Attributes:
        names: the file's column names, stripped; a column without a name is called by its place.
        places: for each contract column, in order, the place of its column in the file, from 0.
        extra: the places of columns that the contract does not know.
    """

    names: list[str]
    places: list[int]
    extra: list[int]


def read(connection: duckdb.DuckDBPyConnection, judge: Judge, files: dict[int, Path], folder: Path) -> _Read:
    """Opens landed files of one table.

    Args:
        files: by position, in landing order.
        folder: where temporary files may be written.

    Returns:
        Queries that together give the rows, as `Judge.judged` does, and the files' faults.
    """
    contract = judge.contract
    faults = {
        position: FileFault("the file is empty" + (": not even a header" if contract.format == "csv" else ""))
        for position, file in files.items()
        if file.stat().st_size == 0
    }
    filled = {position: file for position, file in files.items() if position not in faults}
    of_form = {"csv": _csv, "jsonl": _json, "json": _json, "xlsx": _sheets, "parquet": _parquet}[contract.format]
    queries, more = of_form(connection, judge, filled, folder)
    return queries, faults | more


@dataclass(frozen=True)
class Whole:
    """A file as it is when nothing is wrong with it, so that it can be stored in one pass.

    Attributes:
        query: SQL of its rows in their order, as `Judge.whole` gives them.
        rows: how many there are if none is missing.
        enough_bytes: the memory with which it is stored as fast as with more, 0 where that is not known.
    """

    query: str
    rows: int
    enough_bytes: int = 0


def read_whole(
    connection: duckdb.DuckDBPyConnection, judge: Judge, files: dict[int, Path], folder: Path
) -> Whole | None:
    """The way to store one file in one pass; None where only `read` can tell."""
    contract = judge.contract
    if len(files) != 1 or contract.format not in ("csv", "jsonl", "parquet"):
        return None
    ((position, file),) = files.items()
    types = ["VARCHAR"] * len(contract.columns)
    try:
        if contract.format == "parquet":
            file = unpack.plain_form(contract, file, folder)
            contents = parquet_stage.open_parquet(connection, position, file)
            return Whole(judge.whole(*_parquet_rows(judge, [contents])), parquet_stage.rows(connection, file))
        plain = unpack.regular_lines(contract, file)
        if contract.format == "jsonl":
            lines = plain or unpack.plain_text(contract, file, folder / f"{position:08d}.json")
            if not (lines.is_regular and lines.lines):
                return None
            records = json_stage.in_order(contract, position, lines.file, folder)
            return Whole(judge.whole(records, types), lines.lines) if records else None
        source = csv_stage.open_csv(contract, position, file, folder, plain)
        rows = _under_contract(match_header(contract, source.names), csv_stage.in_order(source))
    except (FileFault, UnicodeError):
        return None
    query = judge.whole(rows, types)
    enough_bytes = threads(connection) * (_CSV_BYTES + len(contract.columns) * _COLUMN_BYTES)
    return Whole(query, source.lines - 1, enough_bytes) if len(source.names) > 1 else None


def match_header(contract: Contract, found: Iterable[str]) -> Header:
    """Finds the contract's columns among the file's, by name.

    Raises:
        FileFault: one is missing or there twice; the message names what was found.
    """
    # A NUL would end a query.
    names = contract.called(
        [name.strip().replace("\0", "\ufffd") or f"column {place}" for place, name in enumerate(found, start=1)]
    )
    places = []
    for column in contract.columns:
        if names.count(column.source_name) != 1:
            is_there = {column.source_name, *column.also_named} & set(names)
            problem = "there twice" if is_there else "missing"
            message = f"column '{column.source_name}' is {problem}; the file has: {', '.join(names)[:500]}"
            raise FileFault(message) if is_there else MissingColumn(message, column.name)
        places.append(names.index(column.source_name))
    return Header(names, places, [place for place in range(len(names)) if place not in places])


def _open(files: dict[int, Path], opened: Callable[[int, Path], _Opened]) -> tuple[list[_Opened], dict[int, FileFault]]:
    """Opens each file; what fails is a fault of that file."""
    sources, faults = [], {}
    for position, file in files.items():
        try:
            sources.append(opened(position, file))
        except FileFault as fault:
            faults[position] = fault
    return sources, faults


def _csv(connection: duckdb.DuckDBPyConnection, judge: Judge, files: dict[int, Path], folder: Path) -> _Read:
    sources, faults = _open(files, lambda position, file: csv_stage.open_csv(judge.contract, position, file, folder))
    matching, mismatched = _matching(judge.contract, sources, lambda source: source.count())
    queries = []
    for number, group in enumerate(_by_header(matching)):
        place = folder / f"header-{number}"
        place.mkdir()
        queries += csv_stage.stage(connection, group, place, _judged_by_name(judge, group[0].names))
    return queries, faults | mismatched


def _sheets(connection: duckdb.DuckDBPyConnection, judge: Judge, files: dict[int, Path], folder: Path) -> _Read:
    def opened(position: int, file: Path) -> SheetSource:
        plain = unpack.plain_form(judge.contract, file, folder)
        return workbook_stage.open_sheet(judge.contract, position, plain)

    sources, faults = _open(files, opened)
    matching, mismatched = _matching(judge.contract, sources, lambda source: source.rows)
    queries = []
    for number, group in enumerate(_by_header(matching)):
        place = folder / f"header-{number}"
        place.mkdir()
        judged = _judged_by_name(judge, group[0].names)
        for query in workbook_stage.stage(group, place):
            queries.append(staged.keep(connection, judged(query), place / "judged.parquet"))
    return queries, faults | mismatched


def _json(connection: duckdb.DuckDBPyConnection, judge: Judge, files: dict[int, Path], folder: Path) -> _Read:
    sources, faults = _open(files, lambda position, file: json_stage.open_json(judge.contract, position, file, folder))
    if not sources:
        return [], faults
    if judge.contract.format == "jsonl":
        return json_stage.stage_lines(connection, judge, sources, folder), faults
    sources, more = json_stage.open_documents(connection, judge.contract, sources)
    queries = json_stage.stage_documents(connection, judge, sources, folder) if sources else []
    return queries, faults | more


def _parquet(connection: duckdb.DuckDBPyConnection, judge: Judge, files: dict[int, Path], folder: Path) -> _Read:
    def opened(position: int, file: Path) -> ParquetSource:
        plain = unpack.plain_form(judge.contract, file, folder)
        return parquet_stage.open_parquet(connection, position, plain)

    sources, faults = _open(files, opened)
    matching, mismatched = _matching(
        judge.contract, sources, lambda source: parquet_stage.rows(connection, source.file)
    )

    def shape(source: ParquetSource) -> tuple[object, ...]:
        # Files that name a column like DuckDB's own are read alone.
        alone = source.position if parquet_stage.has_own_names(source.names) else 0
        return source.names, source.types, alone

    queries = []
    for number, (_shape, group) in enumerate(groupby(sorted(matching, key=lambda s: str(shape(s))), shape)):
        query = judge.judged(*_parquet_rows(judge, list(group)))
        queries.append(staged.keep(connection, query, folder / f"judged-{number}.parquet"))
    return queries, faults | mismatched


def _parquet_rows(judge: Judge, sources: list[ParquetSource]) -> tuple[str, list[str]]:
    """SQL of the rows of files with one schema under the contract, and their types."""
    header = match_header(judge.contract, sources[0].names)
    types = [sources[0].types[place] for place in header.places]
    named = {sources[0].names[place].strip() for place in header.places}
    return _under_contract(header, parquet_stage.stage(sources, named), sources[0].types), types


def _matching(
    contract: Contract, sources: list[_WithHeader], count: Callable[[_WithHeader], int]
) -> tuple[list[_WithHeader], dict[int, FileFault]]:
    """The files that have the contract's columns, and the faults of the others, with their rows."""
    matching, faults = [], {}
    for source in sources:
        try:
            match_header(contract, source.names)
            matching.append(source)
        except FileFault as fault:
            fault.rows = count(source)
            faults[source.position] = fault
    return matching, faults


def _by_header(sources: list[_WithHeader]) -> list[list[_WithHeader]]:
    groups: dict[tuple[str, ...], list[_WithHeader]] = {}
    for source in sources:
        groups.setdefault(source.names, []).append(source)
    return list(groups.values())


def _judged_by_name(judge: Judge, names: Iterable[str]) -> Callable[[str], str]:
    """Turns a query of text columns `c0` … under these names into one of judged rows."""
    header = match_header(judge.contract, names)
    types = ["VARCHAR"] * len(judge.contract.columns)
    return lambda query: judge.judged(_under_contract(header, query), types)


def unknown_columns(header: Header) -> list[tuple[str, int]]:
    """Names and places of the columns that the contract does not know, each under a name of its own."""
    seen: dict[str, int] = {}
    named = []
    for place in header.extra:
        name = header.names[place]
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name} ({seen[name]})", place))
    return named


def _shown(place: int, types: Sequence[str]) -> str:
    """SQL of an extra column's value as JSON can say it."""
    is_moment = bool(types) and casts.family(types[place]) in ("timestamp", "instant")
    return casts.as_text(f"c{place}", types[place]) if is_moment else f"c{place}"


def _under_contract(header: Header, query: str, types: Sequence[str] = ()) -> str:
    """A query of `c0` … as one of `s0` … and `_extra`.

    Args:
        types: the DuckDB types of `c0` …, where they are not all text.
    """
    columns = ", ".join(f"c{place} as s{index}" for index, place in enumerate(header.places))
    pairs = ", ".join(f"{quote_literal(name)}, {_shown(place, types)}" for name, place in unknown_columns(header))
    extra = f"cast(json_object({pairs}) as varchar)" if pairs else "cast(null as varchar)"
    return (
        f"select _file_position, _row_number, _line_number, _structure, _record, {columns}, {extra} as _extra "
        f"from ({query})"
    )
