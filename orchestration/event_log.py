"""Dagster's SQLite event log with one open connection a database, for the process of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


class PooledEventLog(SqliteEventLogStorage):
    """The event log that the UI reads, written without opening a connection for every event.

    Dagster's own opens one for each of a run's thousands of events, which takes longer than the events themselves.
    Only the process of a run uses this class; UI and daemon keep Dagster's.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> PooledEventLog:
        """Dagster's own would make its own class."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._engines:
                self._engines[shard] = self._engine(shard)
            with self._engines[shard].begin() as connection:
                yield connection

    def _engine(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        self._initdb(engine)
        self._initialized_dbs.add(shard)
        with engine.begin() as connection:
            # With a write-ahead log a power cut can lose the last events, never the file.
            connection.execute(text("pragma synchronous = normal"))
        return engine

    def dispose(self) -> None:
        """Closes every connection."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


@contextmanager
def pooled_instance(home: Path) -> Iterator[DagsterInstance]:
    """Dagster's instance at `home`, with the pooled event log in the place of its own."""
    own = InstanceRef.from_dir(str(home)).event_storage_data
    log = {
        "module": PooledEventLog.__module__,
        "class": PooledEventLog.__name__,
        "config": {"base_dir": str(home / "history" / "runs")},
    }
    assert own is None or str(home / "history" / "runs") in own.config_yaml, own
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides={"event_log_storage": log})) as instance:
        yield instance
