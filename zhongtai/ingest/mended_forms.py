"""Mended rows written in the form of their table, so that they are read by its contract as every landed file is."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhongtai.errors import UsageError
from zhongtai.ingest.contract import Contract

Values = dict[str, str | None]


def ending(contract: Contract) -> str:
    """The ending of the file's name."""
    return f".{contract.format}"


def write(contract: Contract, rows: Sequence[Values], file: Path) -> None:
    """Writes rows, by the names of their columns; one that a row does not have is empty.

    Raises:
        UsageError: a value cannot be written in the contract's encoding.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    writers = {"csv": _csv, "jsonl": _lines, "json": _document, "xlsx": _sheet, "parquet": _parquet}
    try:
        writers[contract.format](contract, names, rows, file)
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{contract.silo}.{contract.table}: '{error.object[error.start : error.end]}' cannot be written in "
            f"{contract.encoding}, the encoding of the table's files. Mend the row with other characters."
        ) from error


def _csv(contract: Contract, names: list[str], rows: Sequence[Values], file: Path) -> None:
    quote: dict[str, Any] = {"quotechar": contract.quote} if contract.quote else {"quoting": csv.QUOTE_NONE}
    with file.open("w", encoding=contract.encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=contract.delimiter, lineterminator="\n", **quote)
        try:
            writer.writerow(names)
            writer.writerows([row.get(name) for name in names] for row in rows)
        except csv.Error as error:
            raise UsageError(
                f"{contract.silo}.{contract.table}: a mended value holds the delimiter or a line end, and the "
                f"contract's files have no quotes: {error}"
            ) from error


def _lines(contract: Contract, _names: list[str], rows: Sequence[Values], file: Path) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text(text, encoding=contract.encoding, newline="")


def _document(contract: Contract, _names: list[str], rows: Sequence[Values], file: Path) -> None:
    content: Any = list(rows)
    for key in reversed(list(filter(None, contract.records.split(".")))):
        content = {key: content}
    file.write_text(json.dumps(content, ensure_ascii=False), encoding=contract.encoding)


def _sheet(contract: Contract, names: list[str], rows: Sequence[Values], file: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet(contract.sheet or "mended")
        lines: list[Sequence[str | None]] = [names, *([row.get(name) for name in names] for row in rows)]
        for number, cells in enumerate(lines):
            for place, value in enumerate(cells):
                if value is not None:
                    sheet.write_string(number, place, value)


def _parquet(_contract: Contract, names: list[str], rows: Sequence[Values], file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}), file)
