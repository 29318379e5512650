"""Makes the raw views show only the rows of changed entities, and all of them again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from zhongtai.changes.dimensions import SCHEMA
from zhongtai.changes.lineage import Rebuilt
from zhongtai.changes.rows import is_changed, may_move, stretches, table, with_other_versions
from zhongtai.ingest.contract import Contract
from zhongtai.ingest.ledger import FileLoad
from zhongtai.ingest.raw_views import RunContext, is_restored, show, stored_files
from zhongtai.ingest.stored import raw_rows
from zhongtai.merchant import Merchant
from zhongtai.sql import quote_identifier

if TYPE_CHECKING:
    import duckdb


# What the names of tables begin with that hold found raw rows.
_KEPT = "raw_"


class RawViews:
    """The raw views of the tables that name an entity."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        merchant: Merchant,
        contracts: Iterable[Contract],
        loads: list[FileLoad],
        context: RunContext,
    ) -> None:
        self._connection = connection
        self._context = context
        self._stored = [
            (contract, stored_files(merchant, contract, loads)) for contract in contracts if contract.entity
        ]
        self._restored = {contract.hash for contract, _ in self._stored if is_restored(contract, loads)}

    def widen(self) -> None:
        """Makes the views show everything, whether they were narrowed before or not."""
        for contract, files in self._stored:
            self._show(contract, files)
        query = "select table_name from duckdb_tables() where schema_name = ? and starts_with(table_name, ?)"
        for (name,) in self._connection.execute(query, [SCHEMA, _KEPT]).fetchall():
            self._connection.execute(f"drop table {SCHEMA}.{quote_identifier(name)}")

    def narrow_to_days(self, model: Rebuilt) -> None:
        """Makes the views of what a model sums up show the changed days, whole."""
        for contract, files in self._stored:
            if contract.entity and contract.entity.name == model.days_of and files:
                rows = f"(select * from {raw_rows(files)} where {self._is_near(contract, model.entity)})"
                self._show(contract, files, rows)

    def narrow(self) -> None:
        """Makes the views show only the rows of changed entities."""
        for contract, files in self._stored:
            if contract.entity and files:
                name, is_dated = contract.entity.name, contract.entity.is_dated
                condition = is_changed(contract, name)
                if is_dated:
                    condition += f" and {self._is_near(contract, name)}"
                if may_move(contract):
                    condition = with_other_versions(contract, files, condition)
                rows = f"(select * from {raw_rows(files)} where {condition})"
                # What is found by its id, in files of any age, is found once and not by each fact.
                if not is_dated:
                    rows = self._kept(contract, rows)
                self._show(contract, files, rows)

    def _show(self, contract: Contract, files: list[Path], rows: str | None = None) -> None:
        restored = contract.hash in self._restored
        show(self._connection, contract, files, self._context, rows, is_restored=restored)

    def _kept(self, contract: Contract, rows: str) -> str:
        """A table that holds some stored rows of a contract's table, until the views show everything again."""
        kept = f"{SCHEMA}.{quote_identifier(f'{_KEPT}{contract.silo}_{contract.table}')}"
        self._connection.execute(f"create or replace table {kept} as from {rows}")
        return kept

    def _is_near(self, contract: Contract, name: str) -> str:
        """SQL: whether a stored row lies on a day of a changed entity; literals, by which files and row groups go."""
        query = f"select distinct entity_date from {table(name)} where not is_moved order by all"
        days = [day for (day,) in self._connection.execute(query).fetchall()]
        moment = quote_identifier(contract.event_time or "")
        within = [f"({moment} >= date '{first}' and {moment} < date '{last}' + 1)" for first, last in stretches(days)]
        return f"({' or '.join(within) or 'false'})"
