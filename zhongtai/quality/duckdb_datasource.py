"""DuckDB for Great Expectations: expectations run as SQL in the file, over one connection.

Importing this module imports Great Expectations (2-3 s) and registers `context.data_sources.add_duckdb`: import it
inside a function.
"""

from __future__ import annotations

from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import sqlalchemy as sa
from duckdb_engine import ConnectionWrapper
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint
from sqlalchemy.engine.reflection import Inspector

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext

# Everything but the file itself, which goes into connect_args: a URL would trip over `?` and `%` in a path.
CONNECTION_STRING = "duckdb://"
# Within the datasource `type` is a field.
EngineClass = type[SqlAlchemyExecutionEngine]


class DuckDBInspector(Inspector):
    """What Great Expectations asks of a table, asked of DuckDB itself.

    duckdb-engine goes through PostgreSQL's catalogue, mixes up tables of one name in different schemas, and fails on
    views.
    """

    def get_columns(self, table_name: str, schema: str | None = None, **_: Any) -> list[ReflectedColumn]:
        """The columns of a table or view; raises NoSuchTableError where it does not exist."""
        quote = self.dialect.identifier_preparer.quote_identifier
        name = ".".join(quote(part) for part in (schema, str(table_name)) if part)
        with self.engine.connect() as connection:
            try:
                rows = connection.execute(sa.text(f"describe {name}")).mappings().all()
            except sa.exc.ProgrammingError as error:
                raise sa.exc.NoSuchTableError(name) from error
        # No expectation of ours asks for a type: types are the contract's.
        untyped = sa.types.NullType()
        return [
            {"name": row["column_name"], "type": untyped, "nullable": row["null"] == "YES", "default": None}
            for row in rows
        ]

    def get_pk_constraint(self, *_: Any, **__: Any) -> ReflectedPrimaryKeyConstraint:
        """No key: ours are dbt's data tests, not the database's."""
        return {"constrained_columns": [], "name": None}


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Keeps one connection, because Great Expectations fetches rows after it has given the connection back.

    On a connection that closed meanwhile every expectation would fail with `IndexError: list index out of range`.
    """

    _connection: sa.Connection | None

    def _setup_engine(self, kwargs: MutableMapping[str, Any], *args: Any, **options: Any) -> None:
        connect_args = kwargs["connect_args"]

        def connect() -> ConnectionWrapper:
            # As plain as others in this process connect: duckdb-engine adds its name to the configuration, and DuckDB
            # refuses to open a file twice with different ones.
            return ConnectionWrapper(duckdb.connect(**connect_args))

        super()._setup_engine({"creator": connect}, *args, **options)
        dialect: Any = self.engine.dialect
        dialect.inspector = DuckDBInspector

    @contextmanager
    def get_connection(self) -> Generator[sa.Connection, None, None]:
        """The one connection, each time in a new transaction: after an error DuckDB refuses all else in the old."""
        if self._connection is None:
            self._connection = self.engine.connect()
        elif self._connection.in_transaction():
            self._connection.rollback()
        yield self._connection

    def close(self) -> None:
        """Lets go of the file, so that others may open it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()


class DuckDBDatasource(SQLDatasource):
    """A DuckDB file; `type` registers `context.data_sources.add_duckdb`."""

    type: Literal["duckdb"] = "duckdb"

    @property
    def execution_engine_type(self) -> EngineClass:
        """The engine that keeps one connection."""
        return DuckDBExecutionEngine

    def get_engine(self) -> sa.Engine:
        """The execution engine's own: a second engine would hold the file open after the first is closed."""
        return self.get_execution_engine().engine


def open_datasource(
    context: AbstractDataContext, name: str, database: Path, read_only: bool = True
) -> DuckDBDatasource:
    """Adds a DuckDB file to a context.

    Args:
        context: where to add it.
        name: unique in the context.
        database: the file, which must exist.
        read_only: false where this process already has the file open for writing.
    """
    datasource: DuckDBDatasource = context.data_sources.add_duckdb(
        name=name,
        connection_string=CONNECTION_STRING,
        kwargs={"connect_args": {"database": str(database), "read_only": read_only}},
    )
    return datasource
