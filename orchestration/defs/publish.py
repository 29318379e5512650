"""The last step of a whole run: what passed every blocking check becomes the current release."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration.defs import jobs, transform
from orchestration.defs.resources import RunOptions
from zhongtai import release
from zhongtai.changes.build import Wanted
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings
from zhongtai.transform import Transform


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """The release depends on every published table, and so on every check before it."""
    manifest = Transform(merchant, settings).manifest()

    @dg.asset(
        key="release",
        deps=published_tables(manifest),
        group_name="release",
        owners=["team:data-engineering"],
        kinds={"duckdb", "parquet"},
        description="All tables of unified and marts, published at once. Only a whole run publishes.",
    )
    def release_(context: dg.AssetExecutionContext, run_options: RunOptions) -> dg.MaterializeResult:
        refuse_partial(context)
        outcome = release.publish_run(
            merchant, settings, manifest, context.run.run_id, is_repair=run_options.wanted != Wanted()
        )
        return dg.MaterializeResult(metadata=outcome)

    return dg.Definitions(assets=[release_])


def published_tables(manifest: Mapping[str, Any]) -> Sequence[dg.AssetKey]:
    """The keys of every model that a release holds."""
    translator = transform.Translator()
    return [
        translator.get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in ("unified", "marts")
    ]


def refuse_partial(context: dg.AssetExecutionContext) -> None:
    """Raises unless the run makes every asset and check: the job, or `Materialize all` above the asset graph.

    Raises:
        dagster.Failure: the run was made by hand from a part of the graph, or repeats only some steps.
    """
    run = context.run
    if run.asset_selection:
        graph = context.repository_def.asset_graph
        is_whole = run.asset_selection >= graph.executable_asset_keys and (
            run.asset_check_selection is None or run.asset_check_selection >= graph.asset_check_keys
        )
    else:
        is_whole = run.job_name == jobs.JOB
    steps = {node.name for node in context.op_execution_context.job_def.nodes}
    is_whole = is_whole and set(run.step_keys_to_execute or steps) == steps
    if not is_whole:
        raise dg.Failure(
            f"Only a whole run publishes. Launch the job {jobs.JOB}, or run: zhongtai run", allow_retries=False
        )
