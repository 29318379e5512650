"""Columns that a silo calls otherwise from a day on: which of the fields that no contract names is which of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import fitting, originals, suggestions
from zhongtai.ingest.contract import Column, Contract
from zhongtai.ingest.unpack import FileFault, MissingColumn

if TYPE_CHECKING:
    import duckdb

SAMPLE = 1_000  # records of a file that tell what its columns hold
_ALIKE = 0.6
# Of a file: the fields that most records have, and the first values of each.
_FIELDS = 200
_FIELD_CHARACTERS = 200
_VALUES = 100
_SHOWN_CHARACTERS = 500


def successor(
    connection: duckdb.DuckDBPyConnection,
    column: Column,
    values: Mapping[str, Sequence[str]],
    *,
    may_be_left_out: bool = False,
) -> str | None:
    """The field that is most likely this column: alike by name, or the only one that its type and values fit.

    Args:
        values: of the fields that the contract does not name.
        may_be_left_out: whether a file may lack the column and be right. Then a type alone proves nothing: the field
            may as well be new.
    """

    def suits(name: str) -> bool:
        if column.allowed:
            return bool(values[name]) and set(values[name]) <= set(column.allowed)
        return bool(values[name]) and fitting.fits(connection, values[name], column.data_type)

    likeness = {name: _likeness(column, name) for name in values}
    for name in sorted(values, key=lambda name: -likeness[name]):
        if likeness[name] >= _ALIKE and suits(name):
            return name
    # A text fits every value: without a name alike it proves nothing.
    is_telling = bool(column.allowed) or (column.data_type != "string" and not may_be_left_out)
    suiting = [name for name in values if suits(name)] if is_telling else []
    return suiting[0] if len(suiting) == 1 else None


def _likeness(column: Column, name: str) -> float:
    plain = _plain(name)
    return max(_ratio(_plain(own), plain) for own in (column.source_name, column.name))


def _ratio(own: str, other: str) -> float:
    matcher = SequenceMatcher(None, own, other)
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE else 0.0


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


@dataclass(frozen=True)
class _Lacking:
    """A file of JSON with fields that the contract does not name, and none of the values of some columns.

    Attributes:
        rows: of the file.
        columns: that have no value in it.
        names: the other columns, as the silo calls them.
    """

    rows: int
    columns: list[Column]
    names: list[str]


def in_records(
    connection: duckdb.DuckDBPyConnection, contract: Contract, queries: list[str], files: dict[int, Path]
) -> dict[int, FileFault]:
    """What is wrong with files of JSON, by position, in which a column has another name.

    JSON has no header, and a record may leave out what is empty. So a column is renamed where no record of a file has
    it, not even empty, and the records have a field that is most likely this column.

    Args:
        queries: judged rows of the files, as `reader.read` gives them.
        files: landed files by position.
    """
    if contract.format not in ("jsonl", "json") or not queries:
        return {}
    rows = f"({' union all '.join(queries)})"
    lacking = _lacking(connection, contract, rows)
    fields = _fields(connection, rows, list(lacking)) if lacking else {}
    faults = {}
    for position, found in fields.items():
        fault = _fault(connection, contract, files[position], lacking[position], found)
        if fault is not None:
            faults[position] = fault
    return faults


def in_headers(
    connection: duckdb.DuckDBPyConnection, contract: Contract, faults: Mapping[int, FileFault], files: dict[int, Path]
) -> dict[int, FileFault]:
    """The faults of files, with the contract's new line where a missing column seems to have another name."""
    told = dict(faults)
    known = {column.source_name for column in contract.columns}
    for position, fault in faults.items():
        if isinstance(fault, MissingColumn):
            column = contract.column(fault.column)
            values = originals.sample(contract, files[position], SAMPLE)
            name = successor(connection, column, {name: values[name] for name in values if name not in known})
            if name is not None:
                told[position] = FileFault(f"{fault}; {_called_now(column, name)}", fault.rows)
    return told


def _called_now(column: Column, name: str) -> str:
    return f"it seems to be called '{name}' now: {suggestions.renamed(column, name)}"


def _lacking(connection: duckdb.DuckDBPyConnection, contract: Contract, rows: str) -> dict[int, _Lacking]:
    found = connection.execute(f"select distinct _file_position from {rows} where _extra is not null").fetchall()
    if not found:
        return {}
    positions = [int(position) for (position,) in found]
    values = ", ".join(f"count(t{place}) + count(s{place})" for place in range(len(contract.columns)))
    counted = connection.execute(
        f"select _file_position, count(*), {values} from {rows} where _file_position in {_list(positions)} "
        "group by _file_position"
    ).fetchall()
    lacking = {}
    for position, number, *filled in counted:
        columns = [column for column, count in zip(contract.columns, filled, strict=True) if not count]
        if columns:
            names = [column.source_name for column in contract.columns if column not in columns]
            lacking[int(position)] = _Lacking(int(number), columns, names)
    return lacking


def _fields(connection: duckdb.DuckDBPyConnection, rows: str, positions: list[int]) -> dict[int, dict[str, list[str]]]:
    """The fields of files that the contract does not name, with their first values that are not empty."""
    found = connection.execute(
        f"""
        with extras as (
            select _file_position, _row_number, _extra from {rows}
            where _extra is not null and _file_position in {_list(positions)}
        ),
        fields as (select _file_position, _row_number, unnest(json_keys(_extra)) as name from extras),
        usual as (
            select _file_position, name from fields where length(name) <= {_FIELD_CHARACTERS}
            group by _file_position, name
            qualify row_number() over (partition by _file_position order by count(*) desc, name) <= {_FIELDS}
        ),
        -- Chosen before, because a field's first rows are kept in memory, and names may be as many as records.
        firsts as (
            select _file_position, name, min(_row_number, {_VALUES}) as numbers
            from fields semi join usual using (_file_position, name)
            group by _file_position, name
        ),
        places as (select _file_position, name, unnest(numbers) as _row_number from firsts)
        select
            _file_position,
            name,
            json_extract_string(_extra, '/' || replace(replace(name, '~', '~0'), '/', '~1')) as value
        from places inner join extras using (_file_position, _row_number)
        order by _file_position, _row_number, name
        """
    ).fetchall()
    fields: dict[int, dict[str, list[str]]] = {}
    for position, name, value in found:
        values = fields.setdefault(int(position), {}).setdefault(name, [])
        if value and value.strip():
            values.append(value)
    return fields


def _fault(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    file: Path,
    lacking: _Lacking,
    fields: dict[str, list[str]],
) -> FileFault | None:
    for column in lacking.columns:
        name = successor(connection, column, fields, may_be_left_out=column.nullable)
        if name is not None and not _is_there(contract, column, file, lacking.rows):
            names = ", ".join([*lacking.names, *fields])[:_SHOWN_CHARACTERS]
            message = f"column '{column.source_name}' is missing; the file has: {names}"
            return FileFault(f"{message}; {_called_now(column, name)}", lacking.rows)
    return None


def _is_there(contract: Contract, column: Column, file: Path, rows: int) -> bool:
    """Whether some record names the column, if only to say that it is empty."""
    names = {column.source_name, *column.also_named}
    records = originals.originals(contract, file, range(1, rows + 1))
    return any(names & record.values.keys() for record in records if record.values)


def _list(positions: list[int]) -> str:
    return f"({', '.join(map(str, positions))})"
