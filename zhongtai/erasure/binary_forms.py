"""Parquet files and workbooks written again without some records."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpyxl.cell.cell import Cell, MergedCell

from zhongtai.erasure.search import alone
from zhongtai.ingest import reader
from zhongtai.ingest.contract import Contract

if TYPE_CHECKING:
    from zhongtai.erasure.rewrite import Changes


def rewrite_parquet(source: Path, target: Path, contract: Contract, changes: Changes) -> None:
    """Schema, metadata and compression stay; a row group at a time is in memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source) as file:
        header = reader.match_header(contract, file.schema_arrow.names)
        places = {column.source_name: place for column, place in zip(contract.columns, header.places, strict=True)}
        places |= dict(reader.unknown_columns(header))
        compression = file.metadata.row_group(0).column(0).compression if file.num_row_groups else "snappy"
        first = 1
        with pq.ParquetWriter(target, file.schema_arrow, compression=compression) as writer:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                numbers = range(first, first + table.num_rows)
                first += table.num_rows
                for name, rows in _blanks_by_column(changes, numbers).items():
                    place = places[name]
                    values = table.column(place).to_pylist()
                    emptied = [
                        _without(value, rows.get(number, ())) for number, value in zip(numbers, values, strict=True)
                    ]
                    kind = table.schema.field(place)
                    if not kind.nullable:
                        nothing = "" if pa.types.is_string(kind.type) or pa.types.is_large_string(kind.type) else 0
                        emptied = [nothing if value is None else value for value in emptied]
                    table = table.set_column(place, kind, pa.array(emptied, kind.type))
                kept = pa.array([number not in changes.dropped for number in numbers])
                writer.write_table(table.filter(kept))


def _blanks_by_column(changes: Changes, numbers: range) -> dict[str, dict[int, list[str]]]:
    rows: dict[str, dict[int, list[str]]] = {}
    for number, values in changes.blanked.items():
        if number in numbers:
            for name, text in values:
                rows.setdefault(name, {}).setdefault(number, []).append(text)
    return rows


def _without(value: Any, texts: Collection[str]) -> Any:
    """A value without these texts; None where nothing else is in it, or it is no text."""
    if not texts:
        return value
    if not isinstance(value, str) or value.strip() in texts:
        return None
    return _any_alone(texts).sub("", value)


def _any_alone(texts: Iterable[str]) -> re.Pattern[str]:
    return re.compile(alone("|".join(map(re.escape, sorted(texts, key=len, reverse=True)))))


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
            texts = [text for _, text in values]
            any_alone = _any_alone(texts)
            for cell in sheet[lines[number]]:
                if isinstance(cell, Cell) and any_alone.search(str(cell.value)):
                    cell.value = _without(cell.value, texts)
    book.save(target)


def _empty(cells: Iterable[Cell | MergedCell]) -> None:
    for cell in cells:
        if isinstance(cell, Cell):  # a merged one has its value in the first of them
            cell.value = None
