"""PostgreSQL to Parquet files: one consistent snapshot of all tables of a silo, in bounded memory.

A table with a cursor column is read from where it was left. A cursor alone loses rows: a transaction that was open
while the cursor passed commits rows with an earlier value afterwards. So a row is also read when the transaction that
wrote it was not visible in the snapshot of the time before (PostgreSQL documentation, "Transaction ID and Snapshot
Information Functions"); what is read twice is a duplicate by the contract's key.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.extract import positions
from zhongtai.extract.config import PostgresSource, PostgresTable
from zhongtai.extract.positions import Position
from zhongtai.ingest.contract import Contract
from zhongtai.merchant import Merchant
from zhongtai.progress import timed
from zhongtai.sql import quote_identifier, quote_literal

if TYPE_CHECKING:
    import pyarrow as pa
    from adbc_driver_manager.dbapi import Connection

# Types that keep every value on the way; all others are read as PostgreSQL writes them as text.
_NATIVE = {"int2", "int4", "int8", "bool", "float4", "float8", "date", "timestamp", "timestamptz", "text", "varchar"}
_XIDS = 1 << 32  # a row tells 32 bits of its transaction's number, a snapshot all 64


class _BrokenError(Exception):
    """Rows that the server began to tell, and did not tell to their end."""


def extract(merchant: Merchant, silo: str, source: PostgresSource, dsn: str, contracts: list[Contract]) -> int:
    """Reads what changed in each table since the last time; returns how many rows were written.

    Raises:
        UsageError: there is no driver.
        ZhongtaiError: the database cannot be read, or tables of it; the others were read nevertheless. Names no secret.
    """
    try:
        import adbc_driver_manager
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise UsageError("PostgreSQL needs a driver. Run: pip install 'zhongtai[databases]'") from error

    by_table = {contract.table: contract for contract in contracts}
    rows, broken = 0, []
    try:
        # The driver's own transactions take no savepoint back after a failure; "begin" makes one that does.
        with dbapi.connect(dsn, autocommit=True) as connection:
            _execute(connection, "begin isolation level repeatable read read only")
            snapshot = _text(connection, "select cast(pg_current_snapshot() as text)")
            for name, table in source.tables.items():
                # A failure would end the transaction, and with it the snapshot of the tables behind.
                _execute(connection, "savepoint before_table")
                try:
                    with timed("extract", f"{silo}.{name}") as stage:
                        stage.rows = _table(
                            connection, merchant, by_table[name], source.db_schema, table or PostgresTable(), snapshot
                        )
                        rows += stage.rows
                except (adbc_driver_manager.Error, _BrokenError) as error:
                    broken.append(f"{silo}.{name}: PostgreSQL cannot read it: {_reason(error, dsn)}")
                except ZhongtaiError as error:
                    broken.append(str(error))
                _execute(connection, "rollback to savepoint before_table")
            _execute(connection, "rollback")
    except adbc_driver_manager.Error as error:
        broken.append(
            f"{silo}: PostgreSQL at ${source.dsn_env} cannot be read: {_reason(error, dsn)}. What was written so far "
            "is whole; the next run goes on from there"
        )
    if broken:
        raise ZhongtaiError("; ".join(broken))
    return rows


def _reason(error: Exception, dsn: str) -> str:
    return str(error).replace(dsn, "…").strip().splitlines()[0].rstrip(".")


def _table(
    connection: Connection,
    merchant: Merchant,
    contract: Contract,
    schema: str,
    table: PostgresTable,
    snapshot: str,
) -> int:
    """Writes one file with what is new, where there is anything."""
    relation = _relation(schema, table.relation or contract.table)
    columns = _columns(connection, relation, contract)
    if table.cursor is not None:
        _check_cursor(connection, relation, contract, table.cursor, columns)
    before = positions.read(merchant, contract.silo, contract.table)
    cursor = None
    if table.cursor is not None:
        cursor = _text(connection, f"select cast(max({quote_identifier(table.cursor)}) as text) from {relation}")
    chosen = ", ".join(_selected(name, kind) for name, kind in columns.items())
    query = f"select {chosen} from {relation}{_changed(table, columns, before, snapshot)}"
    written = 0
    with connection.cursor() as reading:
        reading.execute(query)
        batches = _batches(reading.fetch_record_batch())
        first = next(batches, None)
        sequence = before.sequence
        if first is not None:

            def write(file: Path) -> None:
                nonlocal written
                written = _write(file, first, batches)

            sequence = positions.put(merchant, contract, before.sequence, write)
    position = Position(
        table=contract.table, sequence=sequence, cursor=cursor or before.cursor, snapshot=snapshot if cursor else None
    )
    positions.save(merchant, contract.silo, position)
    return written


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Batches that have rows.

    Raises:
        _BrokenError: the server could not tell them all, which Arrow does not tell from a disk that is full.
    """
    import pyarrow as pa

    try:
        for batch in reader:
            if batch.num_rows:
                yield batch
    except (OSError, pa.ArrowException) as error:
        raise _BrokenError(str(error)) from error


def _write(file: Path, first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> int:
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
        for batch in chain([first], rest):
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _changed(table: PostgresTable, columns: dict[str, str], before: Position, snapshot: str) -> str:
    """SQL of the condition on rows that are new since the snapshot before; empty where all are read."""
    if table.cursor is None or before.cursor is None or before.snapshot is None:
        return ""
    _, known_until, running = before.snapshot.split(":")
    now = int(snapshot.split(":")[1])
    if now < int(known_until):
        return ""  # another server, or one that was restored: its transactions are numbered anew
    name = quote_identifier(table.cursor)
    kind = quote_identifier(columns[table.cursor])
    row = "cast(cast(xmin as text) as bigint)"
    transaction = f"({now} - mod(mod({now} - {row}, {_XIDS}) + {_XIDS}, {_XIDS}))"
    conditions = [
        f"{name} > cast({quote_literal(before.cursor)} as {kind})",
        f"{transaction} >= {known_until}",
        *([f"{transaction} in ({running})"] if running else []),
    ]
    return f" where {' or '.join(conditions)}"


def _relation(schema: str, name: str) -> str:
    own, _, bare = name.rpartition(".")
    return f"{quote_identifier(own or schema)}.{quote_identifier(bare)}"


def _columns(connection: Connection, relation: str, contract: Contract) -> dict[str, str]:
    """The table's columns with their types' names.

    Raises:
        UsageError: there is no such table, or it holds bytes.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select attname, typname from pg_attribute inner join pg_type on pg_type.oid = atttypid "
            f"where attrelid = to_regclass({quote_literal(relation)}) and attnum > 0 and not attisdropped "
            "order by attnum"
        )
        columns = {str(name): str(kind) for name, kind in cursor.fetchall()}
    if not columns:
        raise UsageError(
            f"{contract.silo}.{contract.table}: the database has no table {relation}, or it may not be read. "
            "Say in the merchant file which it is: relation"
        )
    wanted = {column.source_name for column in contract.columns}
    if held := sorted(name for name, kind in columns.items() if kind == "bytea" and name in wanted):
        raise UsageError(f"{contract.silo}.{contract.table}: column {held[0]} of {relation} holds bytes, not values")
    return {name: kind for name, kind in columns.items() if kind != "bytea"}


def _check_cursor(
    connection: Connection, relation: str, contract: Contract, cursor: str, columns: dict[str, str]
) -> None:
    """Checks that the relation has the column, and that each of its rows tells the transaction that wrote it.

    In the catalog a foreign table has `xmin` as well; its values are no transactions of this server.

    Raises:
        UsageError: it does not.
    """
    table = f"{contract.silo}.{contract.table}"
    if cursor not in columns:
        raise UsageError(f"{table}: there is no column {cursor} in {relation}")
    itself = f"to_regclass({quote_literal(relation)})"
    kind = _text(
        connection,
        f"with recursive parts(part) as (select cast({itself} as oid) "
        "union select inhrelid from pg_inherits inner join parts on inhparent = part) "
        "select case when relkind = 'v' then 'is a view' "
        f"when relkind = 'f' and part = {itself} then 'is a foreign table' "
        "when relkind = 'f' then 'has a part that is a foreign table' else 'has a storage of its own' end "
        "from parts inner join pg_class on pg_class.oid = part left join pg_am on pg_am.oid = relam "
        "where relkind not in ('r', 'm', 'p') or coalesce(amname, 'heap') <> 'heap' or not exists "
        "(select from pg_attribute where attrelid = part and attnum < 0 and attname = 'xmin') limit 1",
    )
    if kind is not None:
        raise UsageError(
            f"{table}: {relation} {kind}, whose rows do not tell which transaction wrote them (xmin), so that with a "
            f"cursor those that are committed late would be lost. Leave 'cursor' away, and all of it is read each "
            "time; or name the table that has the rows: relation"
        )


def _selected(name: str, kind: str) -> str:
    quoted = quote_identifier(name)
    if kind in _NATIVE:
        return quoted
    value = f"to_json({quoted})" if kind.startswith("_") else quoted  # an array's type is called _text, _int4 …
    return f"cast({value} as text) as {quoted}"


def _execute(connection: Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _text(connection: Connection, query: str) -> Any:
    """The one value of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row[0] if row else None
