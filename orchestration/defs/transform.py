"""dbt's models as assets: staging to unified in one step, marts in another, so that checks stand between."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from orchestration.defs.resources import RunOptions
from zhongtai.changes import build as changes
from zhongtai.merchant import Merchant
from zhongtai.quality import store
from zhongtai.quality.results import CheckResult
from zhongtai.settings import Settings
from zhongtai.transform import NodeResult, Transform

UNIFIED = "staging intermediate unified resource_type:seed"
MARTS = "marts"


class Translator(DagsterDbtTranslator):
    """Keys, groups and owners by a model's place in the project."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`[silo, table]` for a source, `[layer, model]` for the rest."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey([_layer(dbt_resource_props), dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the YAML says; the SQL is in the file that the metadata name."""
        return dbt_resource_props["description"]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """What dbt knows, and where the SQL is."""
        return {
            **super().get_metadata(dbt_resource_props),
            "file": f"transform/{dbt_resource_props['original_file_path']}",
        }

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer, with its family or domain where it has folders: unified_order, marts_user."""
        layer, *folders = dbt_resource_props["fqn"][1:-1] or ["seeds"]
        return f"{layer}_{folders[0]}" if layer in ("unified", "marts") and folders else layer

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Analysts own the marts, engineers what they stand on."""
        return ["team:analytics" if _layer(dbt_resource_props) == "marts" else "team:data-engineering"]


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """Two steps of dbt in the run's own process."""
    project = Transform(merchant, settings)
    manifest = project.manifest()
    translator = Translator()

    @dbt_assets(manifest=manifest, select=UNIFIED, name="unified", dagster_dbt_translator=translator)
    def unified(context: dg.AssetExecutionContext, run_options: RunOptions) -> Iterator[Any]:
        if context.selected_asset_keys == set(unified.keys):
            results = changes.build(project, UNIFIED.split(), run_options.wanted)
        else:
            changes.forget(project)
            results = project.build(_picked(context))
        yield from _events_of(context, project, manifest, translator, results)

    @dbt_assets(manifest=manifest, select=MARTS, name="marts", dagster_dbt_translator=translator)
    def marts(context: dg.AssetExecutionContext, run_options: RunOptions) -> Iterator[Any]:
        is_whole = context.selected_asset_keys == set(marts.keys)
        results = project.build(MARTS.split() if is_whole else _picked(context))
        yield from _events_of(context, project, manifest, translator, results)

    return dg.Definitions(assets=[unified, marts])


def _layer(dbt_resource_props: Mapping[str, Any]) -> str:
    return "seeds" if dbt_resource_props["resource_type"] == "seed" else dbt_resource_props["fqn"][1]


def _picked(context: dg.AssetExecutionContext) -> list[str]:
    """The models that were picked by hand."""
    return [key.path[-1] for key in context.selected_asset_keys]


def _events_of(
    context: dg.AssetExecutionContext,
    project: Transform,
    manifest: Mapping[str, Any],
    translator: Translator,
    results: list[NodeResult],
) -> Iterator[Any]:
    """Keeps dbt's results for the release, and turns them into Dagster's.

    Raises:
        dagster.Failure: a model or a blocking test failed; names them.
    """
    store.save(
        project.merchant.warehouse / "checks",
        f"dbt_{context.assets_def.op.name}",
        context.run.run_id,
        [_check_result(result, manifest) for result in results if result.resource_type == "test"],
    )
    for result in results:
        yield from _events(context, result, manifest, translator)
    failed = [result for result in results if not result.is_ok and result.status != "skipped"]
    if failed:
        raise dg.Failure("; ".join(f"{result.name}: {result.message}" for result in failed), allow_retries=False)


def _events(
    context: dg.AssetExecutionContext, result: NodeResult, manifest: Mapping[str, Any], translator: Translator
) -> Iterator[dg.Output | dg.AssetCheckResult]:
    if result.resource_type == "test":
        key = get_asset_check_key_for_test(manifest, translator, result.unique_id, project=None)
        if key is not None and key in context.selected_asset_check_keys and result.status != "skipped":
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=result.status == "pass",
                severity=dg.AssetCheckSeverity.WARN if result.status == "warn" else dg.AssetCheckSeverity.ERROR,
                metadata={"failing_rows": result.failures, "message": result.message},
            )
    elif result.is_ok:
        key = translator.get_asset_spec(manifest, result.unique_id, None).key
        rows = {} if result.rows is None else {"dagster/row_count": result.rows}
        yield dg.Output(
            None, output_name=key.to_python_identifier(), metadata={**rows, "seconds": round(result.seconds, 3)}
        )


def _check_result(result: NodeResult, manifest: Mapping[str, Any]) -> CheckResult:
    node = manifest["nodes"][result.unique_id]
    attached = manifest["nodes"].get(node.get("attached_node") or "", {})
    status = {"pass": "passed", "warn": "failed", "fail": "failed"}.get(result.status, "errored")
    return CheckResult(
        name=result.name,
        schema_name=attached.get("schema", ""),
        table=attached.get("name", ""),
        kind="data_test",
        severity="warning" if result.status == "warn" else "critical",
        status=status,
        description=node.get("description") or "",
        observed={"failing_rows": result.failures},
        message="" if status == "passed" else result.message,
        seconds=result.seconds,
    )
