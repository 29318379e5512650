"""Silos to typed raw tables: an asset for each source table, and the run's own facts."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.defs.resources import RunOptions
from zhongtai import fingerprint, policies
from zhongtai.extract import extract
from zhongtai.ingest import landing, lateness, ledger, loader, quarantine, raw_views, reconcile
from zhongtai.ingest.contract import Contract, load_contracts
from zhongtai.ingest.lateness import Lateness
from zhongtai.ingest.ledger import TableTotals
from zhongtai.merchant import Merchant
from zhongtai.quality import store
from zhongtai.quality.results import CheckResult
from zhongtai.settings import Settings

if TYPE_CHECKING:
    import duckdb

RECONCILES = "rows_reconcile"
_RECONCILED = (
    "Every row read is loaded, quarantined, duplicate, superseded or erased, and raw and quarantine hold as many."
)
READABLE = "files_are_readable"
_READABLE = "No file is rejected as a whole, unless a later one corrects it."
ARRIVES = "arrives_in_time"
_ARRIVES = "The last file landed at most two times the contract's cadence ago, or its freshness_hours."
OWN_TABLES = {
    "run_context": "The merchant, and the moment for which everything is computed.",
    "policies": "Every policy with its values over time.",
    "incomplete_dates": "Business dates of which rows are in quarantine.",
}


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """One step: land what arrived, load it by contract, show it to dbt."""
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    tables = {dg.AssetKey([contract.silo, contract.table]): contract for contract in contracts}

    @dg.multi_asset(
        name="ingest",
        specs=[*(_table_spec(contract) for contract in contracts), *_own_specs()],
        check_specs=[spec for key in tables for spec in _check_specs(key)],
        can_subset=True,
    )
    def ingest(
        context: dg.AssetExecutionContext, run_options: RunOptions
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        selected = context.selected_asset_keys
        for message in extract.extract(merchant, contracts).values():
            context.log.warning(message)
        landing.land(merchant, contracts)
        mark = fingerprint.fingerprint(
            merchant, settings, landing.position(merchant), run_options.as_of, run_options.known_at
        )
        fingerprint.record(merchant, context.run.run_id, mark)
        only = {(contract.silo, contract.table) for key, contract in tables.items() if key in selected}
        loader.load_pending(merchant, contracts, only)
        loads = ledger.read(merchant)
        totals = ledger.table_totals(loads)
        arrived = lateness.lateness(contracts, landing.read_log(merchant), loads, datetime.now(UTC))
        with _warehouse(merchant) as connection:
            run = raw_views.create_raw_views(
                connection,
                merchant,
                contracts,
                policies.load(merchant, settings),
                as_of=run_options.moment,
                known_at=run_options.known_at,
            )
        for key in [key for key in context.op_execution_context.assets_def.keys if key in selected]:
            if key in tables:
                table = (tables[key].silo, tables[key].table)
                counts = totals.get(table, TableTotals())
                yield dg.MaterializeResult(asset_key=key, metadata={**_counts(counts), **_arrival(arrived[table])})
                yield _arrival_result(key, arrived[table])
            else:
                yield dg.MaterializeResult(asset_key=key, metadata={"as_of": run.as_of.isoformat()})
        checks = [_reconciled(merchant, contracts), _readable(merchant, contracts)]
        store.save(
            merchant.warehouse / "checks",
            "ledger",
            context.run.run_id,
            [result for check in checks for result in check.values()],
        )
        for check in checks:
            yield from (_check_result(key, result) for key, result in check.items() if key in selected)

    return dg.Definitions(assets=[ingest])


def _warehouse(merchant: Merchant) -> "duckdb.DuckDBPyConnection":
    import duckdb

    merchant.warehouse.mkdir(parents=True, exist_ok=True)
    return duckdb.connect(str(merchant.database))


def _table_spec(contract: Contract) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=[contract.silo, contract.table],
        description=contract.description,
        group_name=contract.silo,
        owners=["team:data-engineering"],
        kinds={"parquet"},
        metadata={
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(
                        column.name,
                        column.data_type,
                        description=column.description,
                        constraints=dg.TableColumnConstraints(nullable=column.nullable),
                    )
                    for column in contract.columns
                ]
            ),
            "load_mode": contract.load_mode,
            "key": ", ".join(contract.key),
            "file": contract.file,
            "contract": f"transform/models/sources/{contract.silo}.yml",
        },
    )


def _check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(RECONCILES, asset=key, description=_RECONCILED, blocking=True),
        dg.AssetCheckSpec(READABLE, asset=key, description=_READABLE),
        dg.AssetCheckSpec(ARRIVES, asset=key, description=_ARRIVES),
    ]


def _check_result(key: dg.AssetKey, result: CheckResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=result.name,
        passed=result.status == "passed",
        severity=dg.AssetCheckSeverity.ERROR if result.severity == "critical" else dg.AssetCheckSeverity.WARN,
        description=result.message or result.description,
    )


def _readable(merchant: Merchant, contracts: list[Contract]) -> dict[dg.AssetKey, CheckResult]:
    """Whether files of each table wait that are rejected as a whole; a table that has some is degraded."""
    degraded = quarantine.degraded(merchant)
    results = {}
    for contract in contracts:
        waiting = degraded.get((contract.silo, contract.table), [])
        told = "; ".join(f"{load.file}: {load.reason}" for load in waiting[:3])
        results[dg.AssetKey([contract.silo, contract.table])] = CheckResult(
            name=READABLE,
            schema_name=f"raw_{contract.silo}",
            table=contract.table,
            kind="reconciliation",
            severity="warning",
            status="failed" if waiting else "passed",
            description=_READABLE,
            message=f"{_wait(len(waiting))} ({told}); see: zhongtai quarantine list" if waiting else "",
            observed={"files_rejected": len(waiting)},
        )
    return results


def _wait(files: int) -> str:
    return "1 file waits" if files == 1 else f"{files:,} files wait"


def _reconciled(merchant: Merchant, contracts: list[Contract]) -> dict[dg.AssetKey, CheckResult]:
    """The result of each table's check."""
    return {
        dg.AssetKey([silo, table]): CheckResult(
            name=RECONCILES,
            schema_name=f"raw_{silo}",
            table=table,
            kind="reconciliation",
            severity="critical",
            status="failed" if differences else "passed",
            description=_RECONCILED,
            message="; ".join(differences[:3]),
            observed={"differences": len(differences)},
        )
        for (silo, table), differences in reconcile.reconcile(merchant, contracts).items()
    }


def _own_specs() -> list[dg.AssetSpec]:
    return [
        dg.AssetSpec(
            key=["zhongtai", name],
            description=description,
            group_name="run_context",
            owners=["team:data-engineering"],
            kinds={"duckdb"},
        )
        for name, description in OWN_TABLES.items()
    ]


def _counts(totals: TableTotals) -> dict[str, int]:
    return {"dagster/row_count": totals.rows_loaded, **totals.model_dump()}


def _arrival(found: Lateness) -> Mapping[str, dg.MetadataValue]:
    """How the table arrives, for its page in the UI."""
    metadata: dict[str, dg.MetadataValue] = {
        "cadence": dg.MetadataValue.text(found.contract.cadence),
        "is_late": dg.MetadataValue.bool(found.is_late),
        "hours_late": dg.MetadataValue.float(round(found.late_by.total_seconds() / 3600, 1)),
        "rows_late": dg.MetadataValue.int(found.rows_late),
    }
    if found.last is not None:
        metadata["last_file"] = dg.MetadataValue.text(found.last.name)
        metadata["last_arrival"] = dg.MetadataValue.timestamp(found.last.landed_at)
    return metadata


def _arrival_result(key: dg.AssetKey, found: Lateness) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=ARRIVES,
        passed=found.last is not None and not found.is_late,
        severity=dg.AssetCheckSeverity.WARN,
        description=found.message,
        metadata=_arrival(found),
    )
