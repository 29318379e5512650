"""SQL of the entities of stored rows: which entity a row is of, and on which days it may lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from zhongtai.changes.dimensions import SCHEMA
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.stored import raw_rows
from zhongtai.sql import quote_identifier, quote_literal


def table(entity: str) -> str:
    """The table of an entity's changed ids."""
    return f"{SCHEMA}.{quote_identifier(f'changed_{entity}')}"


def days_of(contract: Contract) -> str:
    """SQL of the days on which a stored row may lie: a local day may be the one before or after that of UTC."""
    assert contract.entity is not None
    if not contract.entity.is_dated:
        return "null"
    moment = quote_identifier(contract.event_time or "")
    if is_date_column(contract, contract.event_time or ""):
        return moment
    days = f"[cast({moment} as date) - 1, cast({moment} as date), cast({moment} as date) + 1]"
    # Beside the first and the last day of the calendar, which silos write for "never", there is no other.
    return f"unnest([day for day in {days} if day between date '{date.min}' and date '{date.max}'])"


def day_of(contract: Contract) -> str:
    """SQL of the date of UTC on which a stored row lies."""
    return f"cast({quote_identifier(contract.event_time or '')} as date)"


def id_of(contract: Contract) -> str:
    """SQL of the id of a stored row's entity."""
    assert contract.entity is not None
    column = quote_identifier(contract.entity.column)
    return column if is_date(contract) else f"{quote_literal(silo_prefix(contract))} || {column}"


def silo_prefix(contract: Contract) -> str:
    """What the middle layer writes before a silo's own id."""
    assert contract.entity is not None
    return f"{contract.entity.silo or contract.silo}:"


def is_changed(contract: Contract, name: str) -> str:
    """SQL: whether a stored row is of a changed entity."""
    assert contract.entity is not None
    column = quote_identifier(contract.entity.column)
    # Of dated facts, what only moved to another person or cost is made of the fact's own rows: macro unify.
    moved = " where not is_moved" if contract.entity.is_dated else ""
    if is_date(contract):
        return f"{column} in (select entity_id from {table(name)}{moved})"
    prefix = silo_prefix(contract)
    ids = f"select substring(entity_id, {len(prefix) + 1}) from (from {table(name)}{moved})"
    return f"{column} in ({ids} where starts_with(entity_id, {quote_literal(prefix)}))"


def may_move(contract: Contract) -> bool:
    """Whether a newer version of a row can be of another entity than the one before."""
    return (
        contract.entity is not None
        and contract.load_mode in ("upsert", "tombstone")
        and contract.entity.column not in contract.key
    )


def with_other_versions(contract: Contract, files: Iterable[Path], condition: str) -> str:
    """SQL: whether a stored row is a version of one of some files' rows that meet a condition."""
    key = ", ".join(map(quote_identifier, contract.key))
    return f"({key}) in (select ({key}) from {raw_rows(files)} where {condition})"


def is_date(contract: Contract) -> bool:
    """Whether an entity is a day."""
    return contract.entity is not None and is_date_column(contract, contract.entity.column)


def is_date_column(contract: Contract, name: str) -> bool:
    """Whether a column holds days, not moments."""
    return contract.column(name).data_type == "date"


def stretches(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """The first and last day of each run of days that follow each other; days rise."""
    first = last = None
    for day in days:
        if first is None or last is None:
            first = last = day
        elif day - last <= timedelta(days=1):
            last = day
        else:
            yield first, last
            first = last = day
    if first is not None and last is not None:
        yield first, last
