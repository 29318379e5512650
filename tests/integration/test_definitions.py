"""Dagster's definitions of the small merchant: nothing is nameless, and the sensor sees what arrives."""

from __future__ import annotations

import shutil

import dagster as dg
import pytest

from orchestration.definitions import build
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


def test_sensor_starts_a_run_when_a_file_arrives(definitions: dg.Definitions, small: Small) -> None:
    sensor = definitions.resolve_sensor_def("files_arrived")
    assert sensor.job_name == JOB

    def tick() -> list[dg.RunRequest]:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance, definitions=definitions)
            return list(sensor.evaluate_tick(context).run_requests or [])

    assert tick() == []
    shutil.copy(small.files / "products.parquet", small.files / "products_copy.parquet")
    assert tick() == []
    (small.files / "products_new.parquet").write_bytes(b"anything new, even broken")
    first = tick()
    assert len(first) == 1
    assert [request.run_key for request in tick()] == [first[0].run_key]
