"""A table's content: its hash, and its Parquet files, written again only where they changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.release.manifest import ColumnEntry, FileEntry, TableEntry, TableSpec
from zhongtai.sql import quote_identifier, quote_literal, read_parquet

if TYPE_CHECKING:
    import duckdb

# count, xor and sum of the rows' hashes: independent of order, and xor alone would not see a row that is there twice.
_HASHES = "count(*), coalesce(bit_xor(hash({columns})), 0), coalesce(sum(hash({columns})::hugeint), 0)"

Hashes = tuple[int, int, int]


def describe(connection: duckdb.DuckDBPyConnection, schema: str, table: str, spec: TableSpec) -> list[ColumnEntry]:
    """The columns of a warehouse table, in order, with the descriptions of the spec."""
    found = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    ).fetchall()
    return [ColumnEntry(name=name, type=kind, description=spec.columns.get(name, "")) for name, kind in found]


def export(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    spec: TableSpec,
    folder: Path,
    previous: TableEntry | None,
    previous_folder: Path | None,
) -> tuple[TableEntry, list[str]]:
    """Writes a warehouse table as Parquet files below `folder`.

    A file whose rows are those of the previous release's file of the same name is hard-linked instead: the cost
    follows what changed.

    Args:
        previous, previous_folder: the table in the previous release, None where there is none of the same engine.

    Returns:
        The table's entry, and the names of the files that were written.
    """
    columns = describe(connection, schema, table, spec)
    relation = f"{quote_identifier(schema)}.{quote_identifier(table)}"
    same_shape = previous is not None and _shape(previous.columns) == _shape(columns)
    known = {file.name: file for file in previous.files} if previous is not None and same_shape else {}
    folder.mkdir(parents=True)
    files: list[FileEntry] = []
    written: list[str] = []
    total: Hashes = (0, 0, 0)
    for name, condition, hashes in _parts(connection, relation, columns, spec.partition_column):
        part = FileEntry(name=name, rows=hashes[0], content_hash=digest(hashes))
        is_known = known.get(name) == part and previous_folder is not None
        if previous_folder is None or not is_known or not _linked(previous_folder / name, folder / name):
            query = f"select * from {relation} where {condition}"
            target = quote_literal(str(folder / name))
            connection.execute(f"copy ({query}) to {target} (format parquet, compression zstd)")
            written.append(name)
        files.append(part)
        total = (total[0] + hashes[0], total[1] ^ hashes[1], total[2] + hashes[2])
    entry = TableEntry(
        rows=total[0], content_hash=digest(total), description=spec.description, columns=columns, files=files
    )
    return entry, written


def hashes_of_files(connection: duckdb.DuckDBPyConnection, files: list[Path], columns: list[ColumnEntry]) -> Hashes:
    """The hashes of what Parquet files hold; the connection's time zone is that of `export`'s."""
    query = f"select {_HASHES.format(columns=_hashed(columns))} from {read_parquet(files)}"
    return _row(connection.execute(query).fetchone())


def digest(hashes: Hashes) -> str:
    """Hashes as one text."""
    return hashlib.sha256("|".join(map(str, hashes)).encode()).hexdigest()


def _parts(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: list[ColumnEntry], partition: str | None
) -> Iterator[tuple[str, str, Hashes]]:
    """File name, condition and hashes of each part of a table, found in one scan."""
    hashes = _HASHES.format(columns=_hashed(columns))
    if partition is None:
        yield "data.parquet", "true", _row(connection.execute(f"select {hashes} from {relation}").fetchone())
        return
    column = quote_identifier(partition)
    # As text: years past 9999 are dates to DuckDB, and not to Python.
    month_of = f"cast(cast(case when isfinite({column}) then date_trunc('month', {column}) end as date) as varchar)"
    rows = connection.execute(
        f"select {month_of} as month, {hashes} from {relation} group by all order by 1"
    ).fetchall()
    if not rows:
        yield "empty.parquet", "true", (0, 0, 0)
    for month, *found in rows:
        name = "unknown" if month is None else month.removesuffix("-01")
        yield f"{name}.parquet", _within(column, month), _row(found)


def _within(column: str, month: str | None) -> str:
    if month is None:
        return f"{column} is null or not isfinite({column})"
    return f"{column} >= date '{month}' and {column} < cast(date '{month}' + interval 1 month as date)"


def _hashed(columns: list[ColumnEntry]) -> str:
    """What of a row is hashed. To `hash`, a list is its elements: [[1], [2]] as [[1, 2]], and [] as NULL."""
    names = [(quote_identifier(column.name), column.type) for column in columns]
    nested = [f"cast({name} as varchar)" for name, kind in names if _is_nested(kind)]
    return ", ".join([*(name for name, _ in names), *nested])


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))


def _linked(source: Path, target: Path) -> bool:
    """Whether the file could be linked. Some file systems cannot, and a release may have lost a file."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _row(found: object) -> Hashes:
    assert isinstance(found, tuple | list), found
    count, xor, total = found
    return int(count), int(xor), int(total)


def _shape(columns: list[ColumnEntry]) -> list[tuple[str, str]]:
    return [(column.name, column.type) for column in columns]
