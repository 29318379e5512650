"""What a whole run publishes: gathers what the steps before left behind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from zhongtai import fingerprint, policies
from zhongtai.dictionary import freshness, glossary
from zhongtai.dictionary.facts import Project
from zhongtai.ingest import landing, ledger
from zhongtai.ingest.contract import load_contracts
from zhongtai.merchant import Merchant
from zhongtai.quality import store as checks_store
from zhongtai.release import store
from zhongtai.release.manifest import ReleaseSpec, SourceCounts, TableSpec
from zhongtai.release.publish import SCHEMAS, publish
from zhongtai.settings import Settings


def publish_run(
    merchant: Merchant,
    settings: Settings,
    manifest: Mapping[str, Any],
    run_id: str,
    *,
    is_repair: bool = False,
) -> dict[str, str | int]:
    """Publishes the warehouse, unless the current release already is the same.

    Args:
        manifest: dbt's.
        run_id: the run that ingested, built and checked what is in the warehouse.
        is_repair: publish although nothing seems to have changed.

    Returns:
        What happened, for people: release id, tables, rows.
    """
    mark = fingerprint.recorded(merchant, run_id)
    current = store.current(merchant)
    if current is not None and current.fingerprint == mark and not is_repair:
        return {"unchanged": f"Nothing new since {current.release_id}; nothing was published."}
    moment, moment_date, position = _run_context(merchant)
    in_force = policies.in_force(policies.load(merchant, settings), moment_date)
    spec = ReleaseSpec(
        run_id=run_id,
        as_of=moment,
        known_at=position,
        git_sha=fingerprint.git_sha(settings),
        fingerprint=mark,
        policies=in_force,
        silos=merchant.silo_states,
        tables=_table_specs(manifest),
        sources=_source_counts(merchant, settings),
        checks=checks_store.load(merchant.warehouse / "checks", run_id),
        facts=Project(manifest, glossary.load(settings.transform), SCHEMAS).facts(in_force),
        source_moments=freshness.of_sources(ledger.read(merchant), landing.read_log(merchant), moment, position),
    )
    published = publish(merchant, spec)
    return {
        "release_id": published.release_id,
        "tables": len(published.tables),
        "dagster/row_count": sum(table.rows for table in published.tables.values()),
        "folder": str(merchant.releases / published.release_id),
    }


def _run_context(merchant: Merchant) -> tuple[datetime, date, int]:
    import duckdb

    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        row = connection.execute("select as_of, as_of_date, known_at from raw_zhongtai.run_context").fetchone()
    assert row is not None
    return row[0].replace(tzinfo=UTC), row[1], row[2]


def _table_specs(manifest: Mapping[str, Any]) -> dict[str, TableSpec]:
    return {
        f"{node['schema']}.{node['name']}": TableSpec(
            description=node["description"],
            columns={name: column["description"] for name, column in node["columns"].items()},
            partition_column=node["config"]["meta"].get("partition_column"),
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in SCHEMAS
    }


def _source_counts(merchant: Merchant, settings: Settings) -> dict[str, SourceCounts]:
    totals = ledger.table_totals(ledger.read(merchant))
    nothing = dict.fromkeys(SourceCounts.model_fields, 0)
    return {
        f"{contract.silo}.{contract.table}": SourceCounts.model_validate(
            totals[contract.silo, contract.table].model_dump() if (contract.silo, contract.table) in totals else nothing
        )
        for contract in load_contracts(settings.sources, sorted(merchant.silos))
    }
