"""Each table's page in Dagster tells when its last file arrived, and warns of what is late or cannot be read."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from dagster._core.instance.ref import InstanceRef

from tests.integration.conftest import Small

TRANSACTIONS = dg.AssetKey(["complete_journey", "transactions"])
CAMPAIGNS = dg.AssetKey(["complete_journey", "campaigns"])
PRODUCTS = dg.AssetKey(["complete_journey", "products"])


def _told(
    small: Small, key: dg.AssetKey, name: str = "arrives_in_time"
) -> tuple[dict[str, Any], dg.AssetCheckEvaluation]:
    """The metadata of the table's last materialization, and a check, by default of its arrival."""
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(small.home / "dagster"))) as instance:
        event = instance.get_latest_materialization_event(key)
        assert event is not None and event.asset_materialization is not None
        metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
        checks = [
            logged.dagster_event.event_specific_data
            for logged in instance.all_logs(event.run_id)
            if logged.dagster_event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION and logged.dagster_event
        ]
    found = [
        check
        for check in checks
        if isinstance(check, dg.AssetCheckEvaluation) and (check.asset_key, check.check_name) == (key, name)
    ]
    assert len(found) == 1
    return metadata, found[0]


def _log(small: Small) -> Path:
    return small.home / "small" / "landing" / "landing.jsonl"


def _landed(small: Small) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _log(small).read_text(encoding="utf-8").splitlines()]


def test_a_table_that_just_arrived(published_once: tuple[Small, str]) -> None:
    small, _ = published_once
    (landed,) = [entry for entry in _landed(small) if entry["table"] == "transactions"]
    metadata, check = _told(small, TRANSACTIONS)
    assert {name: metadata[name] for name in ("cadence", "is_late", "hours_late", "rows_late", "last_file")} == {
        "cadence": "daily",
        "is_late": False,
        "hours_late": 0,
        "rows_late": 0,
        "last_file": "transactions.parquet",
    }
    assert metadata["last_arrival"] == datetime.fromisoformat(landed["landed_at"]).timestamp()
    assert metadata["rows_read"] == metadata["rows_loaded"] > 0
    assert (check.passed, check.severity, check.blocking) == (True, dg.AssetCheckSeverity.WARN, False)


@pytest.mark.real
def test_a_late_table_warns_and_so_does_a_broken_file_and_both_stop_nothing(small: Small) -> None:
    entries = _landed(small)
    for entry in entries:
        if entry["table"] == "transactions":
            before = datetime.fromisoformat(entry["landed_at"]) - timedelta(days=5)
            entry["landed_at"] = before.isoformat()
    _log(small).write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    source, target = small.files / "products.parquet", small.files / "products_new.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{source}' limit 3) to '{target}'")
    (small.files / "campaigns_20171001.parquet").write_bytes(b"no Parquet")
    run = small.run()
    assert run.returncode == 0, run.stdout
    assert "raw_complete_journey.campaigns: files_are_readable" in run.stdout
    metadata, check = _told(small, CAMPAIGNS, "files_are_readable")
    assert metadata["files_rejected"] == small.manifest["sources"]["complete_journey.campaigns"]["files_rejected"] == 1
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert check.description is not None and check.description.startswith("1 file waits (campaigns_20171001.parquet: ")
    assert _told(small, PRODUCTS, "files_are_readable")[1].passed

    metadata, check = _told(small, TRANSACTIONS)
    assert metadata["is_late"] is True
    assert 4 * 24 <= metadata["hours_late"] < 4 * 24 + 2, "the next file was expected a day after the last"
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description == "expected daily; what follows transactions.parquet is late by 4 days and 0 hours"
    metadata, check = _told(small, PRODUCTS)
    assert (metadata["is_late"], metadata["last_file"], check.passed) == (False, "products_new.parquet", True)
