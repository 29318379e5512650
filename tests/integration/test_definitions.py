"""Dagster's definitions of the small merchant: nothing is nameless, and the sensor sees what arrives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from orchestration.definitions import build
from orchestration.defs import sensors
from orchestration.defs.jobs import JOB
from tests.integration.conftest import Small


@pytest.fixture
def definitions(small: Small, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    monkeypatch.setenv("ZHONGTAI_HOME", str(small.home))
    monkeypatch.setenv("ZHONGTAI_MERCHANTS", str(small.folder / "merchants"))
    return build("small")


def test_every_asset_and_check_is_described(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    assert len(graph.executable_asset_keys) > 80
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.group_name not in (None, "default"), key
        assert node.owners and node.kinds, key
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert any(spec.blocking for spec in specs) and any(not spec.blocking for spec in specs)
    assert graph.get(dg.AssetKey("release")).parent_keys >= {
        dg.AssetKey(["unified", "fct_orders"]),
        dg.AssetKey(["marts", "mart_kpi_daily"]),
    }


def test_schedule_is_by_the_merchants_clock(definitions: dg.Definitions) -> None:
    schedule = definitions.resolve_schedule_def("every_morning")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * *", "America/New_York")
    assert schedule.job_name == JOB


class Watched:
    """The sensor of the small merchant, beside an instance with its runs."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions, self._instance = definitions, instance
        self._sensor = definitions.resolve_sensor_def("files_arrived")

    def tick(self) -> tuple[list[dg.RunRequest], str]:
        """What a look into the folders starts, and why nothing."""
        context = dg.build_sensor_context(instance=self._instance, definitions=self._definitions)
        found = self._sensor.evaluate_tick(context)
        return list(found.run_requests or []), found.skip_message or ""

    def start(self, request: dg.RunRequest, status: dg.DagsterRunStatus) -> str:
        """The run that was asked for, as far as it has come."""
        job = self._definitions.resolve_job_def(JOB)
        return self._instance.create_run_for_job(job, tags=dict(request.tags), status=status).run_id


@pytest.fixture
def watched(definitions: dg.Definitions) -> Iterator[Watched]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watched(definitions, instance)


def test_sensor_watches_without_being_switched_on(definitions: dg.Definitions) -> None:
    sensor = definitions.resolve_sensor_def("files_arrived")
    assert sensor.job_name == JOB
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    # Landed to released within two minutes: most of it belongs to the run.
    assert sensor.minimum_interval_seconds is not None and sensor.minimum_interval_seconds <= 15


def test_sensor_starts_a_run_when_a_file_arrives(watched: Watched, small: Small) -> None:
    assert watched.tick() == ([], "Nothing new in the silos' folders.")
    shutil.copy(small.files / "products.parquet", small.files / "products_copy.parquet")
    assert watched.tick()[0] == []
    (small.files / "products_new.parquet").write_bytes(b"anything new, even broken")
    assert len(watched.tick()[0]) == 1


def test_sensor_waits_for_a_run_that_is_starting(watched: Watched, small: Small) -> None:
    """It holds no lock before its libraries are imported, and more files may come meanwhile."""
    (small.files / "products_new.parquet").write_bytes(b"new")
    watched.start(watched.tick()[0][0], dg.DagsterRunStatus.STARTING)
    (small.files / "products_more.parquet").write_bytes(b"more")
    requests, why = watched.tick()
    assert not requests and "starting" in why


def test_sensor_tries_files_of_a_failed_run_again(
    watched: Watched, small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a run that met the lock of an extraction: no other file need arrive for it."""
    (small.files / "products_new.parquet").write_bytes(b"new")
    watched.start(watched.tick()[0][0], dg.DagsterRunStatus.FAILURE)
    requests, why = watched.tick()
    assert not requests and "again" in why
    with monkeypatch.context() as patch:
        patch.setattr(sensors, "AGAIN_AFTER", timedelta(0))
        assert len(watched.tick()[0]) == 1
    (small.files / "products_more.parquet").write_bytes(b"more")
    assert len(watched.tick()[0]) == 1
