"""Parquet files and workbooks written again without some records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl.cell.cell import Cell, MergedCell

from zhongtai.ingest.contract import Contract

if TYPE_CHECKING:
    from zhongtai.erasure.rewrite import Changes


def rewrite_parquet(source: Path, target: Path, contract: Contract, changes: Changes) -> None:
    """Schema, metadata and compression stay; a row group at a time is in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        places = contract.called([name.strip() for name in file.schema_arrow.names])
        names = {column.name: column.source_name for column in contract.columns}
        compression = file.metadata.row_group(0).column(0).compression if file.num_row_groups else "snappy"
        first = 1
        with pq.ParquetWriter(target, file.schema_arrow, compression=compression) as writer:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                numbers = range(first, first + table.num_rows)
                first += table.num_rows
                for name, rows in _blanks_by_column(changes, numbers).items():
                    place = places.index(names[name])
                    values = table.column(place).to_pylist()
                    emptied = [None if number in rows else value for number, value in zip(numbers, values, strict=True)]
                    kind = table.schema.field(place)
                    table = table.set_column(place, kind, pa.array(emptied, kind.type))
                kept = pa.array([number not in changes.dropped for number in numbers])
                writer.write_table(table.filter(kept))


def _blanks_by_column(changes: Changes, numbers: range) -> dict[str, set[int]]:
    rows: dict[str, set[int]] = {}
    for number, values in changes.blanked.items():
        if number in numbers:
            for name, _ in values:
                rows.setdefault(name, set()).add(number)
    return rows


def rewrite_workbook(source: Path, target: Path, sheets: list[tuple[str | None, Mapping[int, int], Changes]]) -> None:
    """The cells of dropped records are emptied, so that the other rows keep their numbers. Formulas become values.

    Args:
        sheets: name (None for the first), the sheet's row of each record, and what to change.
    """
    from openpyxl import load_workbook

    with source.open("rb") as stream:
        book = load_workbook(stream, data_only=True)
    for name, lines, changes in sheets:
        sheet = book[name] if name else book.worksheets[0]
        for number in changes.dropped:
            _empty(sheet[lines[number]])
        for number, values in changes.blanked.items():
            texts = {text for _, text in values}
            _empty(cell for cell in sheet[lines[number]] if str(cell.value).strip() in texts)
    book.save(target)


def _empty(cells: Iterable[Cell | MergedCell]) -> None:
    for cell in cells:
        if isinstance(cell, Cell):  # a merged one has its value in the first of them
            cell.value = None
