"""Great Expectations suites as asset checks, a step a layer, between what was built and what depends on it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.defs.resources import RunOptions
from zhongtai.merchant import Merchant
from zhongtai.quality import store, suites
from zhongtai.quality.results import CheckResult
from zhongtai.quality.suites import Suite
from zhongtai.settings import Settings

LAYERS = ("raw", "unified", "marts")


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """A step for each layer that has suites; a critical expectation blocks what depends on its table."""
    found = suites.load_suites(settings.expectations, sorted(merchant.silos))
    layers = {layer: [suite for suite in found if suite.layer == layer] for layer in LAYERS}
    return dg.Definitions(
        asset_checks=[_checks(merchant, layer, of_layer) for layer, of_layer in layers.items() if of_layer]
    )


def _checks(merchant: Merchant, layer: str, of_layer: list[Suite]) -> dg.AssetChecksDefinition:
    specs = [
        dg.AssetCheckSpec(
            name=expectation.name,
            asset=_asset_key(suite),
            description=expectation.description,
            blocking=expectation.severity == "critical",
        )
        for suite in of_layer
        for expectation in suite.expectations
    ]

    @dg.multi_asset_check(name=f"{layer}_expectations", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, run_options: RunOptions) -> Iterator[dg.AssetCheckResult]:
        from zhongtai.quality.validate import validate

        selected = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
        results = validate(merchant.database, of_layer)
        store.save(merchant.warehouse / "checks", layer, context.run.run_id, results)
        for suite in of_layer:
            for result in results:
                is_suite = (result.schema_name, result.table) == (suite.schema_name, suite.table)
                if is_suite and (_asset_key(suite), result.name) in selected:
                    yield _asset_check_result(suite, result)

    return checks


def _asset_key(suite: Suite) -> dg.AssetKey:
    return dg.AssetKey([suite.schema_name.removeprefix("raw_"), suite.table])


def _asset_check_result(suite: Suite, result: CheckResult) -> dg.AssetCheckResult:
    critical = result.severity == "critical"
    return dg.AssetCheckResult(
        asset_key=_asset_key(suite),
        check_name=result.name,
        passed=result.status == "passed",
        severity=dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN,
        description=result.message or result.description,
        metadata=_metadata(result),
    )


def _metadata(result: CheckResult) -> dict[str, Any]:
    """What was found: figures each by its name, so that the UI plots them over time, and the offending rows."""
    found: dict[str, Any] = {
        name: dg.MetadataValue.json(value) if isinstance(value, dict | list) else value
        for name, value in result.observed.items()
        if value is not None
    }
    if result.status == "errored":
        found["error"] = "The check itself could not run; the data may be right."
    if result.samples:
        found["samples"] = _samples(result)
    return found


def _samples(result: CheckResult) -> dg.TableMetadataValue:
    """The offending rows as a table in the UI; its cells are texts, and columns without any are left out."""
    rows = [{name: "" if value is None else str(value) for name, value in row.items()} for row in result.samples]
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    return dg.MetadataValue.table(
        [dg.TableRecord({name: row[name] for name in columns}) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name) for name in columns]),
    )
