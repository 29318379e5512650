"""Contracts compared with what last arrived: columns that are new, gone, renamed or retyped, and what is late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from zhongtai.ingest import (
    fitting,
    inbox,
    landing,
    lateness,
    ledger,
    originals,
    quarantine,
    renamed_columns,
    suggestions,
)
from zhongtai.ingest.contract import Column, Contract
from zhongtai.ingest.landing import LandedFile
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.unpack import FileFault
from zhongtai.merchant import Merchant
from zhongtai.sql import read_parquet

if TYPE_CHECKING:
    import duckdb

_WAITING_FILES = 5  # of a table, rejected as a whole: the latest are told of
_SHARE = 0.1  # of a file's rows that are rejected for one column's type: it is another type now
_NAMELESS = re.compile(r"column \d+$")


@dataclass(frozen=True)
class Finding:
    """One difference.

    Attributes:
        table: `silo.table`; empty for a file that belongs to none.
        kind: new, missing, renamed, retyped, not_allowed, unreadable, late, never_arrived, unmatched or unread_sheet.
        message: what was found.
        suggestion: lines for the contract; empty where none is to be changed.
        needs_change: whether rows are lost until the contract, or the source, changes.
    """

    table: str
    kind: str
    message: str
    suggestion: str = ""
    needs_change: bool = False


@dataclass(frozen=True)
class _Arrived:
    """The last file of a table.

    Attributes:
        values: of its first records, without empty ones, by the file's column names.
    """

    file: LandedFile
    load: FileLoad | None
    values: dict[str, list[str]]


def check(merchant: Merchant, contracts: list[Contract], now: datetime) -> list[Finding]:
    """Every difference, in the order of the contracts; files are read as far as a sample needs."""
    import duckdb

    last = lateness.last_files(landing.read_log(merchant))
    loads = {load.position: load for load in ledger.read(merchant)}
    broken = {f"{silo}.{table}": each for (silo, table), each in quarantine.degraded(merchant).items()}
    findings: list[Finding] = []
    with duckdb.connect() as connection:
        for contract in contracts:
            name = f"{contract.silo}.{contract.table}"
            file = last.get((contract.silo, contract.table))
            if file is None:
                findings.append(Finding(name, "never_arrived", f"no file has landed that matches {contract.file}"))
                continue
            findings += _late(contract, file, now)
            findings += _unread_sheets(merchant, contracts, contract, file)
            try:
                arrived = _arrived(merchant, contract, file, loads.get(file.position))
            except (FileFault, ValueError) as fault:
                findings.append(Finding(name, "unreadable", f"{file.name}: {fault}", needs_change=True))
                continue
            findings += _columns(connection, contract, arrived)
            findings += _rejected_values(connection, merchant, contract, arrived)
            findings += _rejected_before(connection, merchant, contract, broken.get(name, []), file)
    for unknown in inbox.unmatched(merchant, contracts):
        findings.append(Finding("", "unmatched", f"{str(unknown)!a} matches no contract and does not land"))
    return findings


def _unread_sheets(
    merchant: Merchant, contracts: list[Contract], contract: Contract, file: LandedFile
) -> Iterator[Finding]:
    """Told once of a workbook: at the first of its tables."""
    first = next(one for one in contracts if one.silo == contract.silo and one.matches(file.name))
    if first is contract:
        for sheet in inbox.unread_sheets(contracts, file.silo, file.name, merchant.landing / file.path):
            message = f"{file.name}: no contract reads the sheet '{sheet}'"
            yield Finding(f"{contract.silo}.{contract.table}", "unread_sheet", message)


def _rejected_before(
    connection: duckdb.DuckDBPyConnection,
    merchant: Merchant,
    contract: Contract,
    broken: list[FileLoad],
    last: LandedFile,
) -> Iterator[Finding]:
    """Columns that earlier files lack which still wait, rejected as a whole: what the last one says is not all."""
    waiting = {load.position: load for load in broken if load.position != last.position}
    files = [file for file in landing.read_log(merchant) if file.position in waiting] if waiting else []
    for file in files[-_WAITING_FILES:]:
        try:
            arrived = _arrived(merchant, contract, file, waiting[file.position])
        except (FileFault, ValueError) as fault:
            yield Finding(f"{contract.silo}.{contract.table}", "unreadable", f"{file.name}: {fault}", needs_change=True)
            continue
        yield from (found for found in _columns(connection, contract, arrived) if found.needs_change)


def _late(contract: Contract, file: LandedFile, now: datetime) -> Iterator[Finding]:
    if lateness.late_by(contract, file, now):
        age = now - file.landed_at
        message = f"expected {contract.cadence}; {file.name} landed {age.days} days and {age.seconds // 3600} hours ago"
        yield Finding(f"{contract.silo}.{contract.table}", "late", message)


def _arrived(merchant: Merchant, contract: Contract, file: LandedFile, load: FileLoad | None) -> _Arrived:
    path = merchant.landing / file.path
    if not path.stat().st_size:
        raise FileFault("the file is empty")
    return _Arrived(file, load, originals.sample(contract, path, renamed_columns.SAMPLE))


def _columns(connection: duckdb.DuckDBPyConnection, contract: Contract, arrived: _Arrived) -> Iterator[Finding]:
    """Columns that the file has and the contract does not name, and the other way round."""
    table = f"{contract.silo}.{contract.table}"
    known = {column.source_name for column in contract.columns}
    new = [name for name in arrived.values if name not in known and (arrived.values[name] or not _NAMELESS.match(name))]
    if not arrived.values:
        return  # no record, and a form without a header
    has_header = contract.format not in ("jsonl", "json")
    for column in contract.columns:
        if column.source_name in arrived.values:
            continue
        is_right_without = column.nullable and not has_header  # a record of JSON may leave out what is empty
        values = {name: arrived.values[name] for name in new}
        successor = renamed_columns.successor(connection, column, values, may_be_left_out=is_right_without)
        if successor is not None:
            new.remove(successor)
            message = f"{arrived.file.name}: column '{column.source_name}' seems to be called '{successor}' now"
            lines = suggestions.renamed(column, successor)
            yield Finding(table, "renamed", message, lines, needs_change=True)
        elif not is_right_without:
            message = f"{arrived.file.name}: column '{column.source_name}' is missing"
            yield Finding(table, "missing", message, needs_change=True)
    for name in new:
        line = fitting.type_line(connection, arrived.values[name])
        message = f"{arrived.file.name}: column '{name}' is kept in _extra"
        yield Finding(table, "new", message, _new_column(contract, name, line))


def _rejected_values(
    connection: duckdb.DuckDBPyConnection, merchant: Merchant, contract: Contract, arrived: _Arrived
) -> Iterator[Finding]:
    """Columns for which many rows of the last file were rejected."""
    load = arrived.load
    if load is None or load.status != "loaded" or not load.rows_quarantined:
        return
    files = quarantine.rejected_files(merchant, [load])
    counted = connection.execute(
        f"""
        select fault.column_name, fault.reason, count(*)
        from (select unnest(faults) as fault from {read_parquet(files)} where position = {load.position})
        where fault.reason in ('type', 'allowed') and fault.column_name is not null
        group by all order by all
        """
    ).fetchall()
    for name, reason, rows in counted:
        share = rows / load.rows_read
        if share < _SHARE:
            continue
        column = contract.column(name)
        values = arrived.values.get(column.source_name, [])
        yield _retyped(connection, contract, column, values, f"{arrived.file.name}: {share:.0%} of the rows", reason)


def _retyped(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    column: Column,
    values: list[str],
    share: str,
    reason: str,
) -> Finding:
    table = f"{contract.silo}.{contract.table}"
    if reason == "allowed":
        more = sorted(set(values) - set(column.allowed))
        lines = suggestions.column(
            column.name,
            f"config: {{meta: {{allowed: [{', '.join(map(suggestions.quoted, [*column.allowed, *more]))}]}}}}",
        )
        message = f"{share} have values of '{column.source_name}' that are not allowed"
        return Finding(table, "not_allowed", message, lines if more else "", needs_change=True)
    line = fitting.as_days(connection, values, column.data_type) or fitting.type_line(connection, values)
    message = f"{share} have a '{column.source_name}' that is no {column.data_type}"
    return Finding(
        table, "retyped", message, suggestions.column(column.name, line) if values else "", needs_change=True
    )


def _new_column(contract: Contract, name: str, type_line: str) -> str:
    own = re.sub(r"\W+", "_", name).strip("_").lower()
    while own in {column.name for column in contract.columns}:
        own += "_too"
    if own == name:
        return suggestions.column(name, type_line)
    data_type, _, config = type_line.partition(", config: {meta: {")
    meta = f"source_name: {suggestions.quoted(name)}" + (f", {config.removesuffix('}}')}" if config else "")
    return suggestions.column(own or "column", f"{data_type}, config: {{meta: {{{meta}}}}}")
