"""The warehouse's raw schemas: views over Parquet that show what was known at a position, up to a moment."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.ingest import keys, landing, ledger, personal, quarantine
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.stored import raw_file, raw_rows
from zhongtai.merchant import Merchant
from zhongtai.sql import quote_identifier, quote_literal

if TYPE_CHECKING:
    import duckdb

LOGGER = logging.getLogger(__name__)

OWN_SCHEMA = "raw_zhongtai"
# The position of the file in which a row's key (with history: its version) landed first.
FIRST_POSITION = "_first_position"
# Of a policy's value, its columns' names and types in the order of the table; `value` is called policy_value there.
_POLICY_COLUMNS = {
    "policy": "varchar",
    "policy_name_zh": "varchar",
    "position": "integer",
    "position_name": "varchar",
    "value": "double",
    "unit": "varchar",
    "description": "varchar",
    "effective_from": "date",
    "source": "varchar",
}


@dataclass(frozen=True)
class RunContext:
    """What a run is about; the one row of `raw_zhongtai.run_context`.

    Attributes:
        as_of: UTC; events after it do not exist.
        as_of_date: its local date.
        known_at: the last landing position whose files exist.
    """

    merchant: str
    title: str
    time_zone: str
    currency: str
    locale: str
    as_of: datetime
    as_of_date: date
    known_at: int


def create_raw_views(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    contracts: list[Contract],
    policies: Iterable[Any],
    *,
    as_of: datetime | None = None,
    known_at: int | None = None,
) -> RunContext:
    """Makes `raw_<silo>.<table>` for every contract, and the tables of `raw_zhongtai`.

    Args:
        connection: the warehouse, open for writing.
        policies: objects with the attributes of `zhongtai.policies.PolicyValue`.
        as_of: a moment, naive ones in UTC; by default the latest that the data known at `known_at` cover.
        known_at: a landing position, by default the last.

    Raises:
        UsageError: `known_at` is not a landed position.
        ZhongtaiError: nothing has landed, no table has an event time, or files wait for a reload.
    """
    last = landing.position(merchant)
    if last == 0:
        folders = ", ".join(str(merchant.silo_folder(silo)) for silo in merchant.silos) or "none connected"
        raise ZhongtaiError(
            f"Nothing has landed for '{merchant.name}'. Put files that match a contract in the silos' folders "
            f"({folders}) and run again."
        )
    known_at = last if known_at is None else known_at
    if not 1 <= known_at <= last:
        raise UsageError(f"known_at {known_at} is no landed position: give 1 to {last}.")
    loads = known_loads(merchant, contracts, known_at)
    context = _context(merchant, contracts, loads, as_of, known_at)
    _drop_what_left(connection, contracts)
    for contract in contracts:
        restored = is_restored(contract, loads)
        show(connection, contract, stored_files(merchant, contract, loads), context, is_restored=restored)
    _write_own_tables(connection, merchant, context, policies, loads)
    return context


def show(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: list[Path],
    context: RunContext,
    rows: str | None = None,
    *,
    is_restored: bool = False,
) -> None:
    """Makes the view of one table.

    Args:
        files: where its rows are stored.
        rows: SQL of those of the stored rows that the view is to judge; by default all.
        is_restored: as the function of that name tells it.
    """
    schema = quote_identifier(f"raw_{contract.silo}")
    connection.execute(f"create schema if not exists {schema}")
    query = _view_query(contract, rows or raw_rows(files) if files else None, context, is_restored)
    connection.execute(f"create or replace view {schema}.{quote_identifier(contract.table)} as {query}")


def is_restored(contract: Contract, loads: Iterable[FileLoad]) -> bool:
    """Whether some file of a table holds only because its correction is not known yet.

    Other files were judged without it, so their rows may have the keys of its rows.
    """
    held = [load for load in loads if (load.silo, load.table) == (contract.silo, contract.table)]
    return any(load.replaced_by is not None for load in held)


def stored_files(merchant: Merchant, contract: Contract, loads: Iterable[FileLoad]) -> list[Path]:
    """Where the rows of a table's loads are stored."""
    held = [load for load in loads if (load.silo, load.table) == (contract.silo, contract.table)]
    return sorted({raw_file(merchant, load.silo, load.table, load.batch) for load in held if load.status == "loaded"})


def are_there(merchant: Merchant) -> bool:
    """Whether the warehouse has raw views yet."""
    import duckdb

    if not merchant.database.exists():
        return False
    with duckdb.connect(str(merchant.database)) as connection:
        query = "select 1 from information_schema.tables where table_schema = ? and table_name = 'run_context'"
        return connection.execute(query, [OWN_SCHEMA]).fetchone() is not None


def read_context(connection: duckdb.DuckDBPyConnection) -> RunContext:
    """What the raw views were made for."""
    row = connection.execute(f"select * from {quote_identifier(OWN_SCHEMA)}.run_context").fetchone()
    assert row is not None
    values = dict(zip(RunContext.__dataclass_fields__, row, strict=True))
    return RunContext(**{**values, "as_of": values["as_of"].replace(tzinfo=UTC)})


def known_loads(merchant: Merchant, contracts: list[Contract], known_at: int) -> list[FileLoad]:
    """The ledger's entries of the contracts' tables up to a position.

    A landed file that was not loaded yet is left out with a warning. One that was loaded by another contract cannot
    be read by this one, and leaving it out would lose rows in silence.
    """
    hashes = {(contract.silo, contract.table): ledger.current_hash(merchant, contract) for contract in contracts}
    entries = {load.position: load for load in ledger.read(merchant)}
    known: list[FileLoad] = []
    waiting: list[LandedFile] = []
    for file in landing.read_log(merchant):
        table = (file.silo, file.table)
        if file.position > known_at or table not in hashes:
            continue
        load = entries.get(file.position)
        if load is None:
            waiting.append(file)
        elif load.contract_hash != hashes[table]:
            raise ZhongtaiError(
                f"{file.silo}.{file.table}: {file.name} was loaded by an older contract. Load it again: zhongtai run."
            )
        elif load.holds(known_at):
            known.append(load)
    if waiting:
        LOGGER.warning("%d landed files are not loaded yet, the first is %s", len(waiting), waiting[0].path)
    return known


def _context(
    merchant: Merchant,
    contracts: list[Contract],
    loads: list[FileLoad],
    as_of: datetime | None,
    known_at: int,
) -> RunContext:
    moment = as_of or ledger.latest_moment(loads, contracts, known_at)
    if moment is None:
        raise ZhongtaiError(
            f"No landed row of '{merchant.name}' up to position {known_at} has an event time, "
            "so there is no moment to report on. Give one: --as-of."
        )
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return RunContext(
        merchant=merchant.name,
        title=merchant.title,
        time_zone=merchant.time_zone,
        currency=merchant.currency,
        locale=merchant.locale,
        as_of=moment,
        as_of_date=moment.astimezone(ZoneInfo(merchant.time_zone)).date(),
        known_at=known_at,
    )


def _drop_what_left(connection: duckdb.DuckDBPyConnection, contracts: list[Contract]) -> None:
    """Drops raw schemas and views that no contract names any more; raw_* is ingest's own."""
    wanted = {(f"raw_{contract.silo}", contract.table) for contract in contracts}
    schemas = {schema for schema, _ in wanted} | {OWN_SCHEMA}
    in_this_database = "database_name = current_database() and starts_with(schema_name, 'raw_')"
    for (schema,) in connection.execute(
        f"select schema_name from duckdb_schemas() where {in_this_database}"
    ).fetchall():
        if schema not in schemas:
            connection.execute(f"drop schema {quote_identifier(schema)} cascade")
    views = connection.execute(
        f"select schema_name, view_name from duckdb_views() where not internal and {in_this_database}"
    ).fetchall()
    for schema, view in views:
        if schema != OWN_SCHEMA and (schema, view) not in wanted:
            connection.execute(f"drop view {quote_identifier(schema)}.{quote_identifier(view)}")


def _view_query(contract: Contract, rows: str | None, context: RunContext, is_restored: bool) -> str:
    types = personal.raw_columns(contract)
    types += [("_extra", "varchar"), ("_file_position", "integer"), ("_row_number", "bigint")]
    if rows is None:
        types.append((FIRST_POSITION, "integer"))
        columns = ", ".join(f"cast(null as {kind}) as {quote_identifier(name)}" for name, kind in types)
        return f"select {columns} where false"
    columns = ", ".join(quote_identifier(name) for name, _ in types)
    # Of two rows with one version the later one holds, even where every version is shown.
    names = [*contract.key, contract.version] if contract.history and contract.version else contract.key
    key = ", ".join(quote_identifier(name) for name in names)
    is_versioned = contract.load_mode in ("upsert", "tombstone")
    first = f"min(_file_position) over (partition by {key})" if is_versioned else "_file_position"
    query = f"select {columns}, {first} as {FIRST_POSITION} from {rows}"
    query += f" where _file_position <= {context.known_at}"
    if contract.event_time:
        name = quote_identifier(contract.event_time)
        is_date = contract.column(contract.event_time).data_type == "date"
        last = f"date '{context.as_of_date}'" if is_date else f"timestamp '{_naive(context.as_of)}'"
        # A row that has no event time yet has not happened after as_of.
        query += f" and ({name} <= {last} or {name} is null)"
    if is_versioned:
        query += f" qualify row_number() over (partition by {key} order by {keys.winner_order(contract)}) = 1"
    elif is_restored and contract.load_mode == "append":
        # What landed first held then; the others were its duplicates, or in conflict with it.
        query += f" qualify row_number() over (partition by {key} order by _file_position, _row_number) = 1"
    if contract.deleted and not contract.history:
        query = f"select * from ({query}) where not coalesce({quote_identifier(contract.deleted)}, false)"
    return query


def _write_own_tables(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    context: RunContext,
    policies: Iterable[Any],
    loads: list[FileLoad],
) -> None:
    own = quote_identifier(OWN_SCHEMA)
    connection.execute(f"create schema if not exists {own}")
    connection.execute(
        f"create or replace table {own}.run_context (merchant varchar, title varchar, time_zone varchar, "
        "currency varchar, locale varchar, as_of timestamp, as_of_date date, known_at bigint)"
    )
    row = [_naive(value) if isinstance(value, datetime) else value for value in astuple(context)]
    connection.execute(f"insert into {own}.run_context values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    _write_policies(connection, policies)
    missing = quarantine.missing_dates(merchant, loads, context.known_at)
    _write_incomplete_dates(
        connection, {place: rows for place, rows in missing.items() if place[2] <= context.as_of_date}
    )


def _write_policies(connection: duckdb.DuckDBPyConnection, policies: Iterable[Any]) -> None:
    table = f"{quote_identifier(OWN_SCHEMA)}.policies"
    columns = ", ".join(
        f"{'policy_value' if name == 'value' else name} {kind}" for name, kind in _POLICY_COLUMNS.items()
    )
    connection.execute(f"create or replace table {table} ({columns})")
    rows = [[getattr(policy, name) for name in _POLICY_COLUMNS] for policy in policies]
    if rows:
        places = ", ".join("?" for _ in _POLICY_COLUMNS)
        connection.executemany(f"insert into {table} values ({places})", rows)


def _write_incomplete_dates(connection: duckdb.DuckDBPyConnection, rows: dict[tuple[str, str, date], int]) -> None:
    """Business dates of which rows are quarantined and not mended, with how many; one row a table and date."""
    table = f"{quote_identifier(OWN_SCHEMA)}.incomplete_dates"
    connection.execute(
        f"create or replace table {table} "
        "(silo varchar, table_name varchar, business_date date, quarantined_rows bigint)"
    )
    if rows:
        values = ", ".join(
            f"({quote_literal(silo)}, {quote_literal(name)}, date '{day}', {count})"
            for (silo, name, day), count in sorted(rows.items())
        )
        connection.execute(f"insert into {table} values {values}")


def _naive(moment: datetime) -> datetime:
    """A UTC moment as the warehouse keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
