"""A release's `zhongtai.duckdb`: views over its Parquet files, with descriptions, for any DuckDB client."""

from __future__ import annotations

import os
from pathlib import Path

from zhongtai.release.manifest import Manifest, TableEntry
from zhongtai.sql import quote_identifier, quote_literal, read_parquet

DATABASE = "zhongtai.duckdb"


def write(folder: Path, manifest: Manifest) -> None:
    """Writes the file anew: views name the Parquet files by absolute path, so any working directory will do."""
    import duckdb

    unfinished = folder / f".{DATABASE}"
    for left_behind in (unfinished, unfinished.with_name(f"{unfinished.name}.wal")):
        left_behind.unlink(missing_ok=True)
    with duckdb.connect(str(unfinished)) as connection:
        connection.execute("begin")
        for schema in sorted({name.split(".", 1)[0] for name in manifest.tables}):
            connection.execute(f"create schema {quote_identifier(schema)}")
        for name, table in manifest.tables.items():
            for statement in _statements(folder, name, table):
                connection.execute(statement)
        connection.execute("commit")
    os.replace(unfinished, folder / DATABASE)


def parquet_folder(folder: Path, name: str) -> Path:
    """Where the files of `schema.table` are."""
    schema, table = name.split(".", 1)
    return folder / "parquet" / schema / table


def _statements(folder: Path, name: str, table: TableEntry) -> list[str]:
    view = ".".join(quote_identifier(part) for part in name.split(".", 1))
    place = parquet_folder(folder, name)
    files = read_parquet(place / file.name for file in table.files)
    statements = [f"create view {view} as select * from {files}"]
    if table.description:
        statements.append(f"comment on view {view} is {quote_literal(table.description)}")
    for column in table.columns:
        if column.description:
            target = f"{view}.{quote_identifier(column.name)}"
            statements.append(f"comment on column {target} is {quote_literal(column.description)}")
    return statements
