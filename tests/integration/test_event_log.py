"""What a run writes through its own event log is what Dagster's own reads, as the UI and the daemon do."""

from __future__ import annotations

import threading

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.event_log import PooledEventLog, pooled_instance
from tests.integration.conftest import Small


def test_dagsters_own_log_reads_a_run(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(small.home / "dagster"))) as instance:
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
        dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home))) as own,
    ):
        assert isinstance(pooled.event_log_storage, PooledEventLog)
        threads = [threading.Thread(target=report, args=(instance,)) for instance in (pooled, own)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for instance in (pooled, own):
            assert len(instance.fetch_materializations(key, limit=100).records) == 40
