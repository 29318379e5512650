"""Parquet files under the contract's columns, in their own types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest.contract import Contract
from zhongtai.ingest.staged import position_values
from zhongtai.ingest.unpack import FileFault, plain_form
from zhongtai.sql import quote_files, quote_identifier, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb

_DIGITS = 38  # of a decimal
_BYTES = "BLOB"


@dataclass(frozen=True)
class ParquetSource:
    """A Parquet file.

    Attributes:
        position: of the landed file.
        names: its columns.
        types: their DuckDB types.
        as_text: whether all bytes are read as text, which old writers do not mark as such within lists and structures.
    """

    position: int
    file: Path
    names: tuple[str, ...]
    types: tuple[str, ...]
    as_text: bool


def open_parquet(connection: duckdb.DuckDBPyConnection, position: int, file: Path) -> ParquetSource:
    """Reads the footer.

    Raises:
        FileFault: it is not readable as Parquet.
    """
    import duckdb

    try:
        described = connection.execute(f"describe select * from {_contents([file], False)}").fetchall()
        as_text = any(_BYTES in str(row[1]) and str(row[1]) != _BYTES for row in described)
        if as_text:
            described = connection.execute(f"describe select * from {_contents([file], True)}").fetchall()
        wide = connection.execute(
            f"select name, precision from parquet_schema({quote_files([file])}) where precision > {_DIGITS}"
        ).fetchone()
    except duckdb.Error as error:
        raise FileFault(f"not readable as Parquet: {_first_line(error)}") from error
    if wide is not None:
        # The engine reads them as doubles, and wrong ones.
        raise FileFault(
            f"column '{wide[0]}' holds decimals of {wide[1]} digits, and at most {_DIGITS} can be read: let the silo "
            "write fewer, or text",
            rows(connection, file),
        )
    return ParquetSource(
        position, file, tuple(str(row[0]) for row in described), tuple(str(row[1]) for row in described), as_text
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


def stage(sources: list[ParquetSource], named: Collection[str] = ()) -> str:
    """A query of files with one schema: their records with `c0`, `c1` … in the files' types.

    The virtual columns are free; where a file has columns of their names, its rows are numbered by counting.

    Args:
        named: the columns that the contract names. Bytes that are no text break their row; in another column, which may
            be a picture, they are shown as `\\xFF`.
    """
    first = sources[0]
    columns, structure = _columns(first, named)
    none = f"cast(null as bigint) as _line_number, {structure} as _structure, cast(null as varchar) as _record"
    if len(sources) == 1 and has_own_names(first.names):
        return (
            f"select cast({first.position} as integer) as _file_position, row_number() over () as _row_number, "
            f"{none}, {columns} from {_of(sources)} as contents"
        )
    places = position_values({str(source.file): source.position for source in sources})
    contents = _of(sources, "filename = '_file'")
    position = "cast(places.position as integer)"
    join = "inner join places using (_file)"
    if len(sources) == 1:
        position, join = f"cast({first.position} as integer)", ""
    return (
        f"with places(_file, position) as (values {places}) select {position} as _file_position, "
        f"cast(contents.file_row_number + 1 as bigint) as _row_number, {none}, {columns} "
        f"from {contents} as contents {join}"
    )


def _columns(source: ParquetSource, named: Collection[str]) -> tuple[str, str]:
    """SQL of the columns, bytes as the text that they mostly are, and of what breaks a row."""
    columns, broken = [], []
    for place, (name, kind) in enumerate(zip(source.names, source.types, strict=True)):
        value = f"contents.{quote_identifier(name)}"
        if kind == _BYTES:
            if name.strip() in named:
                problem = quote_literal(f"column '{name.strip()}' holds bytes that are no text")
                broken.append(f"when {value} is not null and try(decode({value})) is null then {problem}")
            value = f"coalesce(try(decode({value})), cast({value} as varchar))"
        columns.append(f"{value} as c{place}")
    structure = f"case {' '.join(broken)} end" if broken else "null"
    return ", ".join(columns), f"cast({structure} as varchar)"


def check_readable(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Reads every value, to tell a broken file from a fault of our own.

    Raises:
        FileFault: it cannot be read.
    """
    import duckdb

    try:
        connection.execute(f"select bit_xor(hash(contents)) from {_contents([file], False)} as contents").fetchall()
    except duckdb.OutOfMemoryException as error:
        # Value by value a file needs little memory, whatever its size.
        raise FileFault(
            "it asks for more memory than ingest has: it is damaged, or its row groups are too large; let the silo "
            f"write smaller ones ({_first_line(error)})",
            rows(connection, file),
        ) from error
    except (duckdb.InternalException, duckdb.FatalException):
        raise  # no file's fault
    except duckdb.Error as error:
        raise FileFault(f"not readable as Parquet: {_first_line(error)}", rows(connection, file)) from error


def unreadable(
    connection: duckdb.DuckDBPyConnection, contract: Contract, paths: dict[int, Path], folder: Path
) -> dict[int, FileFault]:
    """The files that cannot be read to their end, and why, by position.

    Args:
        folder: where packed ones are unpacked.
    """
    found: dict[int, FileFault] = {}
    for position, path in paths.items():
        try:
            check_readable(connection, plain_form(contract, path, folder))
        except FileFault as fault:
            found[position] = fault
    return found


def _of(sources: list[ParquetSource], *options: str) -> str:
    as_text = any(source.as_text for source in sources)
    return _contents([source.file for source in sources], as_text, *options)


def _contents(files: list[Path], as_text: bool, *options: str) -> str:
    return read_parquet(files, f"binary_as_string = {str(as_text).lower()}", *options)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
