"""The shape in which every form of file is handed on: numbered records with their columns as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from zhongtai.sql import quote_literal

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
