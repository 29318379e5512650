"""What a run, the UI and the daemon write through the pooled event log is what Dagster's own reads."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration import event_log
from orchestration.event_log import PooledEventLog, pooled_instance
from orchestration.runner import prepare_instance
from tests.integration.conftest import Small
from zhongtai.settings import PROJECT_ROOT, Settings


def _own(home: Path) -> InstanceRef:
    """The instance with Dagster's own event log, as before one is configured."""
    log = {
        "module": "dagster._core.storage.event_log",
        "class": "SqliteEventLogStorage",
        "config": {"base_dir": str(home / "history" / "runs")},
    }
    return InstanceRef.from_dir(str(home), overrides={"event_log_storage": log})


def test_dagsters_own_log_reads_a_run(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    with dg.DagsterInstance.from_ref(_own(small.home / "dagster")) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.SUCCESS
        events = instance.all_logs(run.run_id)
        kinds = {event.dagster_event_type for event in events if event.is_dagster_event}
        assert {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION} <= kinds
        latest = instance.get_latest_materialization_event(dg.AssetKey(["unified", "fct_orders"]))
        assert latest is not None and latest.run_id == run.run_id


def test_both_logs_write_side_by_side(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    home = small.home / "dagster"
    key = dg.AssetKey("side_by_side")

    def report(instance: dg.DagsterInstance) -> None:
        for _ in range(20):
            instance.report_runless_asset_event(dg.AssetMaterialization(key))

    with (
        pooled_instance(home) as pooled,
        dg.DagsterInstance.from_ref(_own(home)) as own,
    ):
        assert isinstance(pooled.event_log_storage, PooledEventLog)
        threads = [threading.Thread(target=report, args=(instance,)) for instance in (pooled, own)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for instance in (pooled, own):
            assert len(instance.fetch_materializations(key, limit=100).records) == 40


def test_ui_and_daemon_use_the_pooled_log(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(small.home / "dagster"))) as instance:
        assert isinstance(instance.event_log_storage, PooledEventLog)


def test_a_moved_home_is_configured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")  # set by what is tested, put back behind it
    before, after = (Settings(PROJECT_ROOT, tmp_path / name, None, tmp_path) for name in ("before", "after"))
    prepare_instance(before)
    before.home.rename(after.home)
    prepare_instance(after)
    file = after.dagster_home / "dagster.yaml"
    assert str(after.dagster_home) in file.read_text() and str(before.dagster_home) not in file.read_text()
    file.write_text("telemetry: {enabled: false}\n")
    prepare_instance(after)
    assert file.read_text() == "telemetry: {enabled: false}\n"


def test_the_ui_hears_of_events_as_they_come(tmp_path: Path) -> None:
    """Whoever looks at a run's page sees its events while it goes on, not when the log file is moved."""
    heard: list[str] = []
    with pooled_instance(tmp_path) as ui, pooled_instance(tmp_path) as run:
        run.event_log_storage.store_event(_event("first"))
        ui.event_log_storage.watch("run", None, lambda event, _: heard.append(event.user_message))
        for message in ("second", "third"):
            run.event_log_storage.store_event(_event(message))
        deadline = time.monotonic() + 30
        while len(heard) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert heard == ["first", "second", "third"]


def test_few_runs_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "OPEN_RUNS", 2)
    runs = [f"run{number}" for number in range(5)]
    with pooled_instance(tmp_path) as instance:
        log = instance.event_log_storage
        assert isinstance(log, PooledEventLog)
        for run_id in runs:
            log.store_event(_event("begins", run_id))
        assert log.open_shards == ["index", "run3", "run4"]
        assert [len(log.get_logs_for_run(run_id)) for run_id in runs] == [1] * 5
        log.wipe()
        assert log.get_logs_for_run("run4") == []


def _event(message: str, run_id: str = "run") -> EventLogEntry:
    return EventLogEntry(
        error_info=None, level=20, user_message=message, run_id=run_id, timestamp=time.time(), job_name="job"
    )
