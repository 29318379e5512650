"""Which entities changed: orders, events, days of stock whose raw rows, persons or SKUs are not what they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.changes.dimensions import SCHEMA
from zhongtai.changes.lineage import Rebuilt
from zhongtai.changes.rows import (
    day_of,
    days_of,
    id_of,
    is_date,
    is_date_column,
    may_move,
    stretches,
    table,
    with_other_versions,
)
from zhongtai.changes.state import Built, load_marks
from zhongtai.ingest import ledger
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.raw_views import RunContext, stored_files
from zhongtai.ingest.stored import raw_file, raw_rows
from zhongtai.merchant import Merchant
from zhongtai.sql import quote_identifier

if TYPE_CHECKING:
    import duckdb

# More than this share of a model's rows: to build all is cheaper.
_MOST = 0.5


@dataclass
class Changed:
    """What is known of the changes of one entity.

    Attributes:
        is_all: whether there is no telling what did not change.
        positions: by raw table, the landing positions whose files came or went.
    """

    is_all: bool = False
    positions: dict[tuple[str, str], set[int]] = field(default_factory=dict)


class Entities:
    """Finds changed entities."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        merchant: Merchant,
        contracts: list[Contract],
        loads: list[FileLoad],
        context: RunContext,
        built: Built,
    ) -> None:
        self._connection = connection
        self._merchant = merchant
        self._loads = loads
        self._batches = {load.position: load.batch for load in ledger.read(merchant) if load.status == "loaded"}
        self._context = context
        self._built = built
        self._contracts: dict[str, list[Contract]] = {}
        for contract in contracts:
            if contract.entity:
                self._contracts.setdefault(contract.entity.name, []).append(contract)
        self.changed = {name: self._landed(of_entity) for name, of_entity in self._contracts.items()}

    def find(
        self,
        models: Iterable[Rebuilt],
        again: tuple[date, date] | None,
        summaries: Mapping[str, Rebuilt] | None = None,
    ) -> None:
        """Makes the table of each entity's changed ids (`entity_id`), and marks those of which too much changed.

        Args:
            models: those that are to be rebuilt by entity; they are as the last build left them.
            again: business dates, first and last, whose entities are rebuilt whether they changed or not.
            summaries: by entity, who did something on which days of UTC: other days need not be searched for persons.
        """
        models = [model for model in models if not model.follows]
        dates = "select cast(? as date) as first_date, cast(? as date) as last_date"
        self._connection.execute(f"create or replace table {SCHEMA}.dates_again as {dates}", again or (None, None))
        for name, of_entity in self._contracts.items():
            mine = [model for model in models if model.entity == name]
            landed = [self._landed_ids(contract, self.changed[name], again) for contract in of_entity]
            landed += [self._ids_between(model, again) for model in mine if again and model.date]
            moved = [part for model in mine for part in self._looked_up_ids(model, (summaries or {}).get(name))]
            kind = "date" if is_date(of_entity[0]) else "varchar"
            self._connection.execute(
                f"""
                create or replace table {table(name)} as
                with landed as ({_union(landed)}), moved as ({_union(moved)})
                select distinct
                    cast(entity_id as {kind}) as entity_id,
                    cast(entity_date as date) as entity_date,
                    is_moved
                from (
                    select *, false as is_moved from landed
                    union all
                    select *, true from moved where entity_id not in (select entity_id from landed)
                )
                """
            )
            if self._share(name, mine) > _MOST:
                self.changed[name].is_all = True

    def find_days(self, model: Rebuilt, again: tuple[date, date] | None = None) -> bool:
        """Makes the table of the days of UTC on which rows came or went that a model of whole days sums up.

        Args:
            again: business dates, first and last, that are summed up whether they changed or not.

        Returns:
            Whether the model can be rebuilt by them: what changed is known, and not too much.
        """
        changed = self.changed[model.days_of or ""]
        days = [
            f"select {day_of(contract)} as entity_id from {raw_rows(files)} where {which}"
            for contract in self._contracts[model.days_of or ""]
            for files, which in self._landed_rows(contract, changed, again)
        ]
        query = " union all ".join(days) or "select null where false"
        self._connection.execute(
            f"create or replace table {table(model.entity)} as with days(day) as ({query}) select distinct "
            "cast(day as date) as entity_id, cast(day as date) as entity_date, false as is_moved from days"
        )
        return not changed.is_all and self._share(model.entity, [model]) <= _MOST

    def _landed(self, of_entity: list[Contract]) -> Changed:
        """The files that came or went since; a file that was loaded another way may have changed any row."""
        marks = load_marks(self._loads)
        changed = Changed()
        for contract in of_entity:
            name = f"{contract.silo}.{contract.table}"
            now, before = marks.get(name, {}), self._built.loads.get(name, {})
            if any(now[position] != before[position] for position in now.keys() & before.keys()):
                changed.is_all = True
            positions = now.keys() ^ before.keys()
            changed.positions[contract.silo, contract.table] = positions
            if not positions <= self._batches.keys() or not all(
                file.exists() for file in self._files_of(contract, positions)
            ):
                changed.is_all = True
        return changed

    def _landed_ids(self, contract: Contract, changed: Changed, again: tuple[date, date] | None) -> str:
        """SQL of the entities of rows that came or went, or that as_of now covers, or no longer does."""
        named = f"{id_of(contract)} as entity_id, {days_of(contract)} as entity_date"
        landed = self._landed_rows(contract, changed, again)
        return " union all ".join(f"select {named} from {raw_rows(held)} where {which}" for held, which in landed)

    def _landed_rows(
        self, contract: Contract, changed: Changed, again: tuple[date, date] | None
    ) -> list[tuple[list[Path], str]]:
        """The rows that came or went, or that as_of now covers, or no longer does: raw files, and SQL of which rows."""
        files = stored_files(self._merchant, contract, self._loads)
        positions = changed.positions[contract.silo, contract.table]
        conditions: list[tuple[list[Path], str]] = []
        # Also where the table has no file any more, as when known_at goes back before its first one.
        if positions and not changed.is_all:
            listed = ", ".join(map(str, sorted(positions)))
            conditions.append((self._files_of(contract, positions), f"_file_position in ({listed})"))
        for first, last in self._windows(contract, again) if files else ():
            moment = quote_identifier(contract.event_time or "")
            conditions.append((files, f"{moment} > {first} and {moment} <= {last}"))
        if may_move(contract):
            conditions = [
                (sorted({*files, *held}), with_other_versions(contract, held, which)) for held, which in conditions
            ]
        return conditions

    def _files_of(self, contract: Contract, positions: Iterable[int]) -> list[Path]:
        """Where the rows of some positions are stored, whether they count any more or not."""
        batches = {self._batches[position] for position in positions}
        return [raw_file(self._merchant, contract.silo, contract.table, batch) for batch in sorted(batches)]

    def _windows(self, contract: Contract, again: tuple[date, date] | None) -> list[tuple[str, str]]:
        """Stretches of event time whose rows count as changed, as SQL: after the first, up to the second."""
        if contract.event_time is None:
            return []
        is_day = is_date_column(contract, contract.event_time)
        windows = []
        if is_day and self._built.as_of_date != self._context.as_of_date:
            days = sorted([self._built.as_of_date, self._context.as_of_date])
            windows.append((f"date '{days[0]}'", f"date '{days[1]}'"))
        elif not is_day and self._built.as_of != self._context.as_of:
            moments = sorted(moment.replace(tzinfo=None) for moment in (self._built.as_of, self._context.as_of))
            windows.append((f"timestamp '{moments[0]}'", f"timestamp '{moments[1]}'"))
        if again:
            # A local day may begin a day earlier or end a day later than that of UTC.
            windows.append((f"date '{again[0]}' - 2", f"date '{again[1]}' + 2"))
        return windows

    def _looked_up_ids(self, model: Rebuilt, summary: Rebuilt | None) -> list[str]:
        """SQL of the entities that changed persons and SKUs meet, as the model's rows of the last build tell."""
        named = f"select {model.id} as entity_id, {_date_of(model)} as entity_date from {model.relation} as rows"
        active = self._active_days(model, summary) if summary and model.date else "true"
        parts = [
            f"""
            {named} where {active} and exists (
                select 1 from {SCHEMA}.changed_persons as persons
                where rows.silo = persons.silo and rows.{quote_identifier(column)} = persons.source_id
            )
            """
            for column in model.persons
        ]
        for kind, key, column in (("products", "sku_id", model.products), ("levels", "user_id", model.levels)):
            if column:
                begin = f"cast(rows.{quote_identifier(column)} as timestamp)"
                parts.append(
                    f"{named} inner join {SCHEMA}.changed_{kind} as {kind} "
                    f"on rows.{key} = {kind}.{key} and {begin} >= {kind}.changed_from"
                )
        return parts

    def _active_days(self, model: Rebuilt, summary: Rebuilt) -> str:
        """SQL: whether a model's row lies on a day on which a changed person did something; literals."""
        is_changed = " or ".join(
            f"{quote_identifier(column)} in (select source_id from {SCHEMA}.changed_persons)"
            for column in model.persons
        )
        query = f"select distinct {summary.date} from {summary.relation} where {is_changed} order by all"
        days = [day for (day,) in self._connection.execute(query).fetchall()]
        # A local day may be the one before or after that of UTC.
        named = quote_identifier(model.date or "")
        within = [f"{named} between date '{first}' - 1 and date '{last}' + 1" for first, last in stretches(days)]
        return f"({' or '.join(within) or 'false'})"

    def _ids_between(self, model: Rebuilt, again: tuple[date, date] | None) -> str:
        """SQL of the entities of the model's rows on some dates."""
        if again is None or model.date is None:
            return ""
        within = f"{quote_identifier(model.date)} between date '{again[0]}' and date '{again[1]}'"
        return f"select {model.id} as entity_id, {_date_of(model)} as entity_date from {model.relation} where {within}"

    def _share(self, name: str, models: list[Rebuilt]) -> float:
        """Changed entities for each entity that there is."""
        models = [model for model in models if model.is_row] or models
        counts = [
            f"(select {'count(*)' if model.is_row else f'approx_count_distinct({model.id})'} from {model.relation})"
            for model in models
        ]
        query = f"select (select count(distinct entity_id) from {table(name)}), greatest(1, {', '.join(counts) or '1'})"
        changed, known = self._connection.execute(query).fetchone() or (0, 1)
        return changed / known


def _union(parts: Iterable[str]) -> str:
    """SQL of ids and dates from some queries, of which there may be none."""
    union = " union all ".join(part for part in parts if part)
    return f"select * from ({union or 'select null as entity_id, null as entity_date'}) where entity_id is not null"


def _date_of(model: Rebuilt) -> str:
    return quote_identifier(model.date) if model.date else "null"
