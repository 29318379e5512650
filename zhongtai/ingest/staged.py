"""The shape in which every form of file is handed on, and how rows get their place in their file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zhongtai.sql import quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb

_BATCH_ROWS = 50_000
_BATCH_CHARACTERS = 1 << 25


class Row(NamedTuple):
    """A record read in Python.

    Attributes:
        position: of the landed file.
        number: of the record in its file, from 1, the header not counted.
        line: the physical line on which it starts, None where the form has none.
        structure: what is wrong with the record as a whole.
        record: its text, where something is.
        values: one for each column of the header, None where it is empty or unreadable.
    """

    position: int
    number: int
    line: int | None
    structure: str | None
    record: str | None
    values: Sequence[str | None]


def write_rows(rows: Iterable[Row], width: int, file: Path) -> Path:
    """Writes records with `width` columns as Parquet: `_file_position` … `_record`, `c0`, `c1` …; memory is bounded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("_file_position", pa.int32()),
            ("_row_number", pa.int64()),
            ("_line_number", pa.int64()),
            ("_structure", pa.string()),
            ("_record", pa.string()),
            *((f"c{place}", pa.string()) for place in range(width)),
        ]
    )
    with pq.ParquetWriter(file, schema) as writer:
        for batch in _batches(rows):
            columns = zip(*((*row[:5], *row.values) for row in batch), strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return file


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += _length(row)
        if len(batch) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _length(row: Row) -> int:
    return len(row.record or "") + sum(len(value) for value in row.values if value)


def position_values(places: dict[str, int]) -> str:
    """SQL rows (name, position) of files by name."""
    return ", ".join(f"({quote_literal(name)}, {position})" for name, position in places.items())


def position_of(file: str) -> str:
    """SQL of the position of a landed or unpacked file, with which its name begins.

    To join the names instead could change the order of rows, which is what tells their numbers.
    """
    return f"cast(regexp_extract({file}, '/0*([0-9]+)[^/]*$', 1) as integer)"


def keep(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> str:
    """Writes rows to a temporary file in their order, which costs less than to work them out twice."""
    connection.execute(f"copy ({query}) to {quote_literal(str(file))} (format parquet, compression snappy)")
    return f"select * from {read_parquet([file])}"


def numbered(file: Path, positions: list[int], more: str = "0", join: str = "") -> str:
    """SQL of kept rows that have no numbers yet: they stand in their files' order.

    Args:
        positions: of the files that were kept together.
        more: SQL of what is added to a row's `place`, its number among those of its file that were kept.
        join: SQL of joins to `rows` that `more` needs.
    """
    rows = f"(select *, file_row_number + 1 as place from {read_parquet([file], 'file_row_number = true')})"
    if len(positions) > 1:
        rows = f"""(
            select contents.* replace (place - before as place)
            from {rows} as contents
            inner join (
                select _file_position, min(place) - 1 as before from {rows} as places group by _file_position
            ) using (_file_position)
        )"""
    number = f"place + {more}"
    return (
        f"select rows.* exclude (place, file_row_number) replace (cast({number} as bigint) as _row_number) "
        f"from {rows} as rows {join}"
    )
