"""Which identities stand in which record of landing, in clear: a table to find a person in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.ingest import journal, landing, parquet_stage, personal, reader
from zhongtai.ingest.contract import Column, Contract
from zhongtai.ingest.faults import Judge
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.unpack import FileFault
from zhongtai.merchant import Merchant
from zhongtai.sql import connect, quote_literal, scalar

if TYPE_CHECKING:
    import duckdb

_TOGETHER_FILES, _TOGETHER_BYTES = 1_000, 1 << 28
# Evidence that a name or an address gives is too weak to erase by.
_LINKING = ("identifier", "phone", "email", "device")
_TABLES = """
    create table evidence (
        position integer, row_number bigint, silo varchar, column_name varchar, kind varchar, value varchar,
        text varchar, of_another boolean, is_linking boolean
    );
    create table record_keys (position integer, row_number bigint, kind varchar, value varchar, is_own boolean);
    create table broken_records (position integer, row_number bigint, record varchar);
    create table record_lines (position integer, row_number bigint, line bigint);
    create table record_counts (position integer, records bigint);
"""


def kind_of(contract: Contract, column: Column) -> str:
    """The name under which values of a column are compared: `silo.column`, or that of the class."""
    if column.personal_data == "identifier":
        return column.identity or f"{contract.silo}.{column.name}"
    return column.personal_data


def identities(contract: Contract) -> list[Column]:
    """The columns that tell whose a record is, or whom else it names."""
    return [column for column in contract.columns if column.personal_data in _LINKING]


def registers(contracts: list[Contract]) -> set[str]:
    """The kinds of which a silo keeps a table with a row each: a person has one account, one card."""
    own_keys = ((contract, contract.column(contract.key[0])) for contract in contracts if len(contract.key) == 1)
    return {kind_of(contract, column) for contract, column in own_keys if column.personal_data == "identifier"}


def collect(connection: duckdb.DuckDBPyConnection, merchant: Merchant, contracts: list[Contract], folder: Path) -> None:
    """Fills `evidence` and the tables beside it from every landed file of every table; what is there is replaced.

    Args:
        folder: for temporary files in clear; private, and removed by the caller.
    """
    for table in ("evidence", "record_keys", "broken_records", "record_lines", "record_counts"):
        connection.execute(f"drop table if exists {table}")
    connection.execute(_TABLES)
    keys = _keys_of_persons(contracts)
    log = landing.read_log(merchant)
    for contract in contracts:
        followed = {name for silo, name in keys if silo == contract.silo}
        if not identities(contract) and not followed & {column.name for column in contract.columns}:
            continue
        files = [file for file in log if (file.silo, file.table) == (contract.silo, contract.table)]
        for together in batches(files):
            place = journal.private_folder(folder / f"{contract.silo}.{contract.table}")
            faults = read_records(connection, Judge(contract, merchant.time_zone), merchant, together, place)
            if len(faults) < len(together):
                for statement in _inserts(contract, followed):
                    connection.execute(statement)
                connection.execute("drop table records")
            shutil.rmtree(place)


def _keys_of_persons(contracts: list[Contract]) -> set[tuple[str, str]]:
    """Silo and name of keys by which records without a person's identity belong to one that has it: order_id, …"""
    found: set[tuple[str, str]] = set()
    while True:
        more = {
            (contract.silo, contract.key[0])
            for contract in contracts
            if len(contract.key) == 1
            and contract.column(contract.key[0]).personal_data != "identifier"
            and (
                any(not column.of_another for column in identities(contract))
                or any((contract.silo, column.name) in found for column in contract.columns)
            )
        }
        if more <= found:
            return found
        found |= more


def batches(files: list[LandedFile]) -> Iterator[list[LandedFile]]:
    """Files in their order, as many together as are read at once."""
    together: list[LandedFile] = []
    for file in files:
        if together and (len(together) >= _TOGETHER_FILES or sum(one.size_bytes for one in together) > _TOGETHER_BYTES):
            yield together
            together = []
        together.append(file)
    if together:
        yield together


def read_records(
    connection: duckdb.DuckDBPyConnection, judge: Judge, merchant: Merchant, files: list[LandedFile], folder: Path
) -> dict[int, FileFault]:
    """Makes the temporary table `records` of landed files of one table; there is none where none can be read.

    Returns:
        What is wrong with the others, by position.
    """
    import duckdb

    paths = {file.position: merchant.landing / file.path for file in files}
    try:
        return _records(connection, judge, paths, folder)
    except (duckdb.InternalException, duckdb.FatalException):
        raise  # no file's fault
    except duckdb.Error:
        is_parquet = judge.contract.format == "parquet"
        broken = parquet_stage.unreadable(connection, judge.contract, paths, folder) if is_parquet else {}
        if not broken:
            raise
    left = {position: path for position, path in paths.items() if position not in broken}
    shutil.rmtree(folder)
    return broken | _records(connection, judge, left, journal.private_folder(folder))


def _records(
    connection: duckdb.DuckDBPyConnection, judge: Judge, paths: dict[int, Path], folder: Path
) -> dict[int, FileFault]:
    queries, faults = reader.read(connection, judge, paths, folder)
    if queries:
        texts = ", ".join(
            f"coalesce(cast(t{place} as varchar), cast(s{place} as varchar)) as v{place}"
            for place in range(len(judge.contract.columns))
        )
        connection.execute(
            "create or replace temp table records as select _file_position as position, _row_number as row_number, "
            f"_line_number as line, _structure, _record, _extra, {texts} from ({' union all '.join(queries)})"
        )
    return faults


def _inserts(contract: Contract, followed: set[str]) -> Iterator[str]:
    """SQL that takes what is of interest out of `records`."""
    own = [column for column in identities(contract) if not column.of_another]
    # Only a record that tells two identities leads from one to the other.
    is_linking = sum(column.personal_data != "device" for column in own) > 1
    for place, column in enumerate(contract.columns):
        value = f"v{place}"
        if column.personal_data in _LINKING:
            normalised = value
            if column.is_tokenised:
                normalised = personal.normalised(value, column.personal_data)
            yield (
                f"insert into evidence select position, row_number, {quote_literal(contract.silo)}, "
                f"{quote_literal(column.source_name)}, {quote_literal(kind_of(contract, column))}, {normalised}, "
                f"{value}, {column.of_another}, {is_linking} from records where {normalised} is not null"
            )
        is_own = contract.key == (column.name,)
        # A record with a person's identity is that person's, whatever it refers to; only its own key is followed.
        if column.name in followed and (is_own or not own):
            yield (
                f"insert into record_keys select position, row_number, "
                f"{quote_literal(f'{contract.silo}.{column.name}')}, {value}, {is_own} from records "
                f"where {value} is not null"
            )
    yield "insert into broken_records select position, row_number, _record from records where _record is not null"
    if contract.format == "xlsx":
        yield "insert into record_lines select position, row_number, line from records"
    yield "insert into record_counts select position, count(*) from records group by position"


def count(merchant: Merchant, contract: Contract, file: Path, position: int, folder: Path) -> int:
    """The records of one file, as ingest reads it; -1 where it cannot."""
    place = journal.private_folder(folder / "check")
    connection = connect(folder / "check-spill")
    try:
        queries, faults = reader.read(connection, Judge(contract, merchant.time_zone), {position: file}, place)
        if faults:
            return -1
        return scalar(connection, f"select count(*) from ({' union all '.join(queries)})") if queries else 0
    finally:
        connection.close()
        shutil.rmtree(place)
