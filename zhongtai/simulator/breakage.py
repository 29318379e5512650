"""How planted defects change rows and files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa

from zhongtai.ingest.contract import Column, Contract
from zhongtai.simulator.columns import line as text_line

Row = dict[str, Any]
# Tells a plant's kind, its record in the file (1-based) and what was changed.
Record = Callable[[str, int, str], None]
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Fate:
    """What happens to a file as a whole.

    Attributes:
        kind: late_file, resent_file, or a kind of broken file.
        days: how much later it lands, or the good copy does.
    """

    kind: str
    days: int


@dataclass
class RowPlan:
    """What happens to the rows of one file.

    Attributes:
        extra: for a row's place in the file, the rows put in after it: kind, row, what was changed.
        instead: for a row's place, the row that stands there instead, and what was changed.
    """

    record: Record
    extra: dict[int, list[tuple[str, Row, str]]] = field(default_factory=dict)
    instead: dict[int, tuple[Row, str]] = field(default_factory=dict)

    def put(self, place: int, kind: str, row: Row, detail: str) -> None:
        """Puts a row in after another."""
        self.extra.setdefault(place, []).append((kind, row, detail))

    def text(self, contract: Contract, body: bytes) -> bytes:
        """The lines with the planted ones."""
        lines = body.splitlines(keepends=True)
        return b"".join(self._woven(lines, lambda kind, row: _planted_line(contract, kind, row)))

    def records(self, rows: list[Row]) -> list[Row]:
        """The records of a sheet with the planted ones."""
        return list(self._woven(rows, lambda _, row: row))

    def arrow(self, rows: pa.Table) -> pa.Table:
        """The rows of a Parquet file with the planted ones."""
        woven = self._woven(list(range(rows.num_rows)), lambda _, row: row)
        planted = [row for row in woven if isinstance(row, dict)]
        fresh = pa.Table.from_pylist(planted, schema=rows.schema)
        places = iter(range(rows.num_rows, rows.num_rows + len(planted)))
        order = [next(places) if isinstance(row, dict) else row for row in woven]
        return pa.concat_tables([rows, fresh]).take(pa.array(order))

    def _woven(self, rows: list[Any], made: Callable[[str, Row], Any]) -> list[Any]:
        """The rows with what is planted, told to `record` as it gets its number."""
        woven: list[Any] = []
        for place, row in enumerate(rows):
            if place in self.instead:
                changed, detail = self.instead[place]
                woven.append(made("superseded", changed))
                self.record("superseded", len(woven), detail)
            else:
                woven.append(row)
            for kind, extra, detail in self.extra.get(place, ()):
                woven.append(made(kind, extra))
                self.record(kind, len(woven), detail)
        return woven


def _planted_line(contract: Contract, kind: str, row: Row) -> bytes:
    """The row as a line; one of broken structure ends early."""
    if kind != "structure":
        return text_line(contract, row)
    if contract.format == "csv":
        kept = dict(list(row.items())[: max(1, len(row) // 2)])
        return text_line(contract, kept)
    whole = text_line(contract, row).decode()
    return (whole[: len(whole) // 2] + "\n").encode()


def faulty(contract: Contract, kind: str, row: Row, draw: float) -> tuple[Row, str] | None:
    """A copy of the row that breaks the contract, and the column; None where the table cannot break like this.

    Args:
        draw: between 0 and 1, chooses the column.
    """
    if kind == "structure":
        return (row, "") if contract.format in ("csv", "jsonl") else None
    text = contract.format != "parquet"
    suited = {
        "type": [column for column in contract.columns if text and column.data_type != "string"],
        "null": [column for column in contract.columns if not column.nullable],
        "allowed": [column for column in contract.columns if column.allowed and column.data_type == "string"],
        "key_conflict": _amounts(contract),
    }[kind]
    suited = [column for column in suited if row[column.source_name] is not None]
    if not suited:
        return None
    column = suited[int(draw * len(suited))]
    value = row[column.source_name]
    changed: dict[str, Any] = {"type": "暂无", "null": None, "allowed": "unknown"}
    if kind == "key_conflict":
        changed[kind] = value + (Decimal(1) if isinstance(value, Decimal) else 1)
    return {**row, column.source_name: changed[kind]}, column.name


def _amounts(contract: Contract) -> list[Column]:
    """Numbers that may not differ where the key is the same."""
    if contract.load_mode != "append":
        return []
    kinds = ("bigint", "double")
    numbers = [one for one in contract.columns if one.data_type.startswith("decimal") or one.data_type in kinds]
    return [one for one in numbers if one.name not in contract.key and not one.allowed]


def without_column(contract: Contract, text: bytes) -> bytes:
    """A CSV file that lacks a column."""
    name = missing_column(contract)
    table = list(csv.reader(io.StringIO(text.decode())))
    place = [one.strip() for one in table[0]].index(name)
    target = io.StringIO()
    csv.writer(target, lineterminator="\n").writerows([*row[:place], *row[place + 1 :]] for row in table)
    return target.getvalue().encode()


def missing_column(contract: Contract) -> str:
    """The header of the column that a file with a missing column lacks: the last required one."""
    required = [column for column in contract.columns if not column.nullable and column.name not in contract.key]
    return (required or list(contract.columns))[-1].source_name


def wrong_encoding(contract: Contract, text: bytes) -> bytes:
    """The text in an encoding that the contract does not name."""
    words = text.decode()
    if contract.encoding.lower() in ("utf-8", "utf8") and not words.isascii():
        return words.encode("gb18030")
    return words.encode("utf-16")


def sent(
    name: str, content: bytes, lands_at: int, fate: Fate | None, broken: bytes | None
) -> list[tuple[str, bytes, int]]:
    """What lands in place of a file: names, contents and epoch seconds.

    Args:
        broken: the content of a file with a missing column or in a wrong encoding.
    """
    if fate is None:
        return [(name, content, lands_at)]
    later = lands_at + fate.days * DAY_SECONDS
    stem, ending = name.split(".", 1)
    again = (f"{stem}_2.{ending}", content, later)
    if fate.kind == "late_file":
        return [(name, content, later)]
    if fate.kind == "resent_file":
        return [(name, content, lands_at), again]
    if fate.kind == "truncated_file":
        broken = content[: len(content) * 2 // 3]
    return [(name, broken or b"", lands_at), again]
