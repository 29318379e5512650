"""A landed file as rows: as they are in the file, numbered, under the contract's columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import csv_stage
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.csv_stage import FileFault
from zhongtai.sql import quote_files, quote_identifier, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb


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


def stage(connection: duckdb.DuckDBPyConnection, contract: Contract, file: Path, folder: Path) -> list[str]:
    """Makes the temporary view `staged` of a landed file.

    Its columns: `_row_number` (1-based record, the header not counted), `_line_number` (physical line, NULL for
    Parquet), `_structure` (what is wrong with the line as a whole), `_record` (that line), `s0`, `s1` … (the
    contract's columns in order, as in the file) and `_extra` (JSON of columns that the contract does not know).

    Args:
        folder: where temporary files may be written.

    Returns:
        The DuckDB types of `s0`, `s1` …

    Raises:
        FileFault: the file as a whole cannot be used.
    """
    if file.stat().st_size == 0:
        raise FileFault("the file is empty: not even a header")
    if contract.format == "csv":
        return _stage_csv(connection, contract, file, folder)
    return _stage_parquet(connection, contract, file)


def check_readable(connection: duckdb.DuckDBPyConnection, contract: Contract, file: Path) -> None:
    """Reads every value of a Parquet file, to tell a broken file from a fault of our own.

    Raises:
        FileFault: it cannot be read.
    """
    if contract.format == "csv":
        return  # staged whole already
    import duckdb

    try:
        connection.execute(f"select bit_xor(hash(contents)) from ({_parquet(file)}) as contents").fetchall()
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        raise FileFault(f"not readable as Parquet: {_first_line(error)}", _parquet_rows(connection, file)) from error


def _stage_parquet(connection: duckdb.DuckDBPyConnection, contract: Contract, file: Path) -> list[str]:
    import duckdb

    try:
        described = connection.execute(f"describe {_parquet(file)}").fetchall()
    except duckdb.Error as error:
        raise FileFault(f"not readable as Parquet: {_first_line(error)}") from error
    names = [str(row[0]) for row in described]
    try:
        header = match_header(contract, names)
    except FileFault as fault:
        raise FileFault(str(fault), _parquet_rows(connection, file)) from fault
    # The virtual column is free; where the file has a column of that name, rows are counted instead.
    number = "row_number() over ()" if "file_row_number" in names else "file_row_number + 1"
    columns = [quote_identifier(name) for name in names]
    connection.execute(
        f"create or replace temp view staged as select cast({number} as bigint) as _row_number, "
        "cast(null as bigint) as _line_number, cast(null as varchar) as _structure, cast(null as varchar) as _record, "
        f"{_staged_columns(header, columns)} from {read_parquet([file], 'binary_as_string = true')}"
    )
    return [str(described[place][1]) for place in header.places]


def _stage_csv(connection: duckdb.DuckDBPyConnection, contract: Contract, file: Path, folder: Path) -> list[str]:
    source = csv_stage.open_csv(contract, file, folder)
    try:
        header = match_header(contract, source.names)
    except FileFault as fault:
        raise FileFault(str(fault), csv_stage.count(source)) from fault
    staged = csv_stage.to_parquet(connection, source, folder)
    columns = [f"c{place}" for place in range(len(source.names))]
    connection.execute(
        "create or replace temp view staged as select _row_number, _line_number, _structure, _record, "
        f"{_staged_columns(header, columns)} from {read_parquet(staged, 'union_by_name = true')}"
    )
    return ["VARCHAR"] * len(contract.columns)


def match_header(contract: Contract, found: list[str]) -> Header:
    """Finds the contract's columns among the file's, by name.

    Raises:
        FileFault: one is missing or there twice; the message names what was found.
    """
    names = [name.strip() or f"column {place}" for place, name in enumerate(found, start=1)]
    places = []
    for column in contract.columns:
        if names.count(column.source_name) != 1:
            problem = "there twice" if column.source_name in names else "missing"
            raise FileFault(f"column '{column.source_name}' is {problem}; the file has: {', '.join(names)[:500]}")
        places.append(names.index(column.source_name))
    return Header(names, places, [place for place in range(len(names)) if place not in places])


def _staged_columns(header: Header, columns: list[str]) -> str:
    """SQL of `s0`, `s1` … and `_extra`, from the file's columns."""
    staged = [f"{columns[place]} as s{index}" for index, place in enumerate(header.places)]
    pairs = ", ".join(f"{quote_literal(header.names[place])}, {columns[place]}" for place in header.extra)
    extra = f"cast(json_object({pairs}) as varchar)" if pairs else "cast(null as varchar)"
    return ", ".join([*staged, f"{extra} as _extra"])


def _parquet(file: Path) -> str:
    return f"select * from {read_parquet([file], 'binary_as_string = true')}"


def _parquet_rows(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    """The rows that the footer tells of, 0 if it cannot be read."""
    import duckdb

    try:
        row = connection.execute(f"select sum(num_rows) from parquet_file_metadata({quote_files([file])})").fetchone()
    except duckdb.Error:
        return 0
    return int(row[0] or 0) if row else 0


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
