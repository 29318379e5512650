"""Dagster's SQLite event log with connections that stay open, for all of its processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool
from watchdog.observers import Observer

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

# A daemon lives for months and writes the beginnings of a run every few minutes: the oldest are closed.
OPEN_RUNS = 8


class PooledEventLog(SqliteEventLogStorage):
    """Dagster's event log, without opening a connection for every event.

    Dagster's own opens several for each of a run's two thousand events; closing one also moves the write-ahead log into
    the database and waits for the disk. That takes longer than most of what a run does, and half a minute in the
    daemon before a run starts. The files are the same, so both may be used side by side.
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
                self._make_room()
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

    def _make_room(self) -> None:
        """Closes the run that was opened first; the index over all runs stays."""
        runs = [shard for shard in self._engines if shard != INDEX_SHARD_NAME]
        for shard in runs[: max(0, len(runs) + 1 - OPEN_RUNS)]:
            self._engines.pop(shard).dispose()

    @property
    def open_shards(self) -> list[str]:
        """The runs whose databases are open, and the index over them."""
        return list(self._engines)

    def watch(self, run_id: str, cursor: str | None, callback: Callable[..., Any]) -> None:
        """Tells of a run's events as they come; they are in the write-ahead log long before the database."""
        observer: BaseObserver | None = self._obs
        if observer is None:
            observer = Observer()
            observer.start()
            self._obs = observer  # type: ignore[assignment]
        watchdog = _Watchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, observer.schedule(watchdog, self._base_dir, recursive=True))

    def wipe(self) -> None:
        """Removes the files of all runs, so none may be open."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Closes every connection."""
        self._close()
        super().dispose()

    def _close(self) -> None:
        with self._db_lock:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()


class _Watchdog(SqliteEventLogStorageWatchdog):
    """Looks when the write-ahead log grows, too."""

    def __init__(
        self, event_log_storage: SqliteEventLogStorage, run_id: str, callback: Callable[..., Any], cursor: str | None
    ) -> None:
        super().__init__(event_log_storage, run_id, callback, cursor)
        self._patterns = [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: FileSystemEvent) -> None:  # noqa: ARG002
        """Tells of what is new in the run's log."""
        self._process_log()


def configuration(home: Path) -> str:
    """What `dagster.yaml` of the instance at `home` says of its event log."""
    return f"event_log_storage: {json.dumps(_log(home))}\n"


def _log(home: Path) -> dict[str, Any]:
    return {
        "module": PooledEventLog.__module__,
        "class": PooledEventLog.__name__,
        "config": {"base_dir": str(home / "history" / "runs")},
    }


@contextmanager
def pooled_instance(home: Path) -> Iterator[DagsterInstance]:
    """Dagster's instance at `home`, with the pooled event log also where somebody has a `dagster.yaml` of their own."""
    own = InstanceRef.from_dir(str(home)).event_storage_data
    assert own is None or str(home / "history" / "runs") in own.config_yaml, own
    overrides = {"event_log_storage": _log(home)}
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides)) as instance:
        yield instance
