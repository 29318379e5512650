"""Landed files of a table as rows: as they are in the files, numbered, under the contract's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from zhongtai.ingest import csv_stage, json_stage, parquet_stage, workbook_stage
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.csv_stage import CsvSource
from zhongtai.ingest.parquet_stage import ParquetSource
from zhongtai.ingest.unpack import FileFault
from zhongtai.ingest.workbook_stage import SheetSource
from zhongtai.sql import quote_literal

if TYPE_CHECKING:
    import duckdb

_Opened = TypeVar("_Opened")
_WithHeader = TypeVar("_WithHeader", CsvSource, SheetSource, ParquetSource)


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


@dataclass(frozen=True)
class Staged:
    """Records of files that can be cast together.

    Attributes:
        query: SQL of `_file_position`, `_row_number` (1-based record, the header not counted), `_line_number`
            (physical line, NULL where the form has none), `_structure` (what is wrong with the record as a whole),
            `_record` (that record), `s0`, `s1` … (the contract's columns in order, as in the file) and `_extra`
            (JSON of what the contract does not know).
        types: the DuckDB types of `s0`, `s1` …
        positions: of the files, in landing order.
    """

    query: str
    types: list[str]
    positions: list[int]


def stage(
    connection: duckdb.DuckDBPyConnection, contract: Contract, files: dict[int, Path], folder: Path
) -> tuple[list[Staged], dict[int, FileFault]]:
    """Opens landed files of one table.

    Args:
        files: by position, in landing order.
        folder: where temporary files may be written.

    Returns:
        What to load, in landing order, and the faults of files that as a whole cannot be used, by position.
    """
    faults = {
        position: FileFault("the file is empty" + (": not even a header" if contract.format == "csv" else ""))
        for position, file in files.items()
        if file.stat().st_size == 0
    }
    filled = {position: file for position, file in files.items() if position not in faults}
    read = {"csv": _csv, "jsonl": _json, "json": _json, "xlsx": _sheets, "parquet": _parquet}[contract.format]
    staged, more = read(connection, contract, filled, folder)
    return staged, faults | more


def match_header(contract: Contract, found: Iterable[str]) -> Header:
    """Finds the contract's columns among the file's, by name.

    Raises:
        FileFault: one is missing or there twice; the message names what was found.
    """
    # A NUL would end a query.
    names = [name.strip().replace("\0", "\ufffd") or f"column {place}" for place, name in enumerate(found, start=1)]
    places = []
    for column in contract.columns:
        if names.count(column.source_name) != 1:
            problem = "there twice" if column.source_name in names else "missing"
            raise FileFault(f"column '{column.source_name}' is {problem}; the file has: {', '.join(names)[:500]}")
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


def _csv(
    connection: duckdb.DuckDBPyConnection, contract: Contract, files: dict[int, Path], folder: Path
) -> tuple[list[Staged], dict[int, FileFault]]:
    sources, faults = _open(files, lambda position, file: csv_stage.open_csv(contract, position, file, folder))
    matching, mismatched = _matching(contract, sources, lambda source: source.count())
    queries = []
    for number, group in enumerate(_by_header(matching)):
        place = folder / f"header-{number}"
        place.mkdir()
        queries += _under_contract(contract, group[0].names, csv_stage.stage(connection, group, place))
    return _as_text(contract, queries, [source.position for source in matching]), faults | mismatched


def _sheets(
    _: duckdb.DuckDBPyConnection, contract: Contract, files: dict[int, Path], folder: Path
) -> tuple[list[Staged], dict[int, FileFault]]:
    sources, faults = _open(files, lambda position, file: workbook_stage.open_sheet(contract, position, file))
    matching, mismatched = _matching(contract, sources, lambda source: source.rows)
    queries = []
    for number, group in enumerate(_by_header(matching)):
        place = folder / f"header-{number}"
        place.mkdir()
        queries += _under_contract(contract, group[0].names, workbook_stage.stage(group, place))
    return _as_text(contract, queries, [source.position for source in matching]), faults | mismatched


def _json(
    connection: duckdb.DuckDBPyConnection, contract: Contract, files: dict[int, Path], folder: Path
) -> tuple[list[Staged], dict[int, FileFault]]:
    sources, faults = _open(files, lambda position, file: json_stage.open_json(contract, position, file, folder))
    if not sources:
        return [], faults
    if contract.format == "jsonl":
        queries = json_stage.stage_lines(connection, contract, sources, folder)
    else:
        sources, more = json_stage.open_documents(connection, contract, sources)
        faults |= more
        queries = json_stage.stage_documents(connection, contract, sources, folder) if sources else []
    return _as_text(contract, queries, [source.position for source in sources]), faults


def _parquet(
    connection: duckdb.DuckDBPyConnection, contract: Contract, files: dict[int, Path], _: Path
) -> tuple[list[Staged], dict[int, FileFault]]:
    sources, faults = _open(files, lambda position, file: parquet_stage.open_parquet(connection, position, file))
    matching, mismatched = _matching(contract, sources, lambda source: parquet_stage.rows(connection, source.file))
    staged = []

    def shape(source: ParquetSource) -> tuple[object, ...]:
        # Files that name a column like DuckDB's own are read alone.
        alone = source.position if parquet_stage.has_own_names(source.names) else 0
        return source.names, source.types, alone

    for _shape, group in groupby(matching, shape):
        together = list(group)
        header = match_header(contract, together[0].names)
        (query,) = _under_contract(contract, together[0].names, [parquet_stage.stage(together)])
        types = [together[0].types[place] for place in header.places]
        staged.append(Staged(query, types, [source.position for source in together]))
    return staged, faults | mismatched


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
            faults[source.position] = FileFault(str(fault), count(source))
    return matching, faults


def _by_header(sources: list[_WithHeader]) -> list[list[_WithHeader]]:
    groups: dict[tuple[str, ...], list[_WithHeader]] = {}
    for source in sources:
        groups.setdefault(source.names, []).append(source)
    return list(groups.values())


def _under_contract(contract: Contract, names: Iterable[str], queries: list[str]) -> list[str]:
    """Queries of `c0` … as queries of `s0` … and `_extra`."""
    header = match_header(contract, names)
    staged = [f"c{place} as s{index}" for index, place in enumerate(header.places)]
    pairs = ", ".join(f"{quote_literal(header.names[place])}, c{place}" for place in header.extra)
    extra = f"cast(json_object({pairs}) as varchar)" if pairs else "cast(null as varchar)"
    columns = ", ".join(staged)
    return [
        f"select _file_position, _row_number, _line_number, _structure, _record, {columns}, {extra} as _extra "
        f"from ({query})"
        for query in queries
    ]


def _as_text(contract: Contract, queries: list[str], positions: list[int]) -> list[Staged]:
    """All files together: where every value is text, one header or another makes no difference."""
    if not positions:
        return []
    return [Staged(" union all ".join(queries), ["VARCHAR"] * len(contract.columns), positions)]
