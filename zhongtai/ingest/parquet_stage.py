"""Parquet files under the contract's columns, in their own types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest.staged import position_values
from zhongtai.ingest.unpack import FileFault
from zhongtai.sql import quote_files, quote_identifier, read_parquet

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class ParquetSource:
    """A Parquet file.

    Attributes:
        position: of the landed file.
        names: its columns.
        types: their DuckDB types.
    """

    position: int
    file: Path
    names: tuple[str, ...]
    types: tuple[str, ...]


def open_parquet(connection: duckdb.DuckDBPyConnection, position: int, file: Path) -> ParquetSource:
    """Reads the footer.

    Raises:
        FileFault: it is not readable as Parquet.
    """
    import duckdb

    try:
        described = connection.execute(f"describe {_contents(file)}").fetchall()
    except duckdb.Error as error:
        raise FileFault(f"not readable as Parquet: {_first_line(error)}") from error
    return ParquetSource(
        position, file, tuple(str(row[0]) for row in described), tuple(str(row[1]) for row in described)
    )


def has_own_names(names: tuple[str, ...]) -> bool:
    """Whether a column is called as what is added to the file's columns, in small letters or capitals."""
    return bool({"file_row_number", "_file"} & {name.casefold() for name in names})


def rows(connection: duckdb.DuckDBPyConnection, file: Path) -> int:
    """The rows that the footer tells of, 0 if it cannot be read."""
    import duckdb

    try:
        row = connection.execute(f"select sum(num_rows) from parquet_file_metadata({quote_files([file])})").fetchone()
    except duckdb.Error:
        return 0
    return int(row[0] or 0) if row else 0


def stage(sources: list[ParquetSource]) -> str:
    """A query of files with one schema: their records with `c0`, `c1` … in the files' types.

    The virtual columns are free; where a file has columns of their names, its rows are numbered by counting.
    """
    names = sources[0].names
    columns = ", ".join(f"contents.{quote_identifier(name)} as c{place}" for place, name in enumerate(names))
    none = "cast(null as bigint) as _line_number, cast(null as varchar) as _structure, cast(null as varchar) as _record"
    if len(sources) == 1 and has_own_names(names):
        contents = read_parquet([sources[0].file], "binary_as_string = true")
        return (
            f"select cast({sources[0].position} as integer) as _file_position, row_number() over () as _row_number, "
            f"{none}, {columns} from {contents} as contents"
        )
    places = position_values({str(source.file): source.position for source in sources})
    contents = read_parquet([source.file for source in sources], "binary_as_string = true", "filename = '_file'")
    position = "cast(places.position as integer)"
    join = "inner join places using (_file)"
    if len(sources) == 1:
        position, join = f"cast({sources[0].position} as integer)", ""
    return (
        f"with places(_file, position) as (values {places}) select {position} as _file_position, "
        f"cast(contents.file_row_number + 1 as bigint) as _row_number, {none}, {columns} "
        f"from {contents} as contents {join}"
    )


def check_readable(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Reads every value, to tell a broken file from a fault of our own.

    Raises:
        FileFault: it cannot be read.
    """
    import duckdb

    try:
        connection.execute(f"select bit_xor(hash(contents)) from ({_contents(file)}) as contents").fetchall()
    except (duckdb.OutOfMemoryException, duckdb.InternalException, duckdb.FatalException):
        raise  # no file's fault
    except duckdb.Error as error:
        raise FileFault(f"not readable as Parquet: {_first_line(error)}", rows(connection, file)) from error


def _contents(file: Path) -> str:
    return f"select * from {read_parquet([file], 'binary_as_string = true')}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
