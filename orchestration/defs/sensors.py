"""When the whole run starts because something arrived."""

import hashlib
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.jobs import JOB
from zhongtai import lock
from zhongtai.ingest import landing
from zhongtai.ingest.contract import load_contracts
from zhongtai.ingest.inbox import Source
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

WAITING = "zhongtai/waiting"
AGAIN_AFTER = timedelta(minutes=10)


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """A look into the silos' folders every quarter of a minute; it reads names and sizes, not contents."""

    @dg.sensor(
        name="files_arrived",
        job_name=JOB,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Starts the whole run when a silo's folder has a file that has not landed yet. The run builds what the "
            "files touch. Files of a run that failed are tried again after ten minutes."
        ),
    )
    def files_arrived(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        waiting = landing.waiting(merchant, load_contracts(settings.sources, sorted(merchant.silos)))
        if not waiting:
            return dg.SkipReason("Nothing new in the silos' folders.")
        if lock.is_held(merchant):
            return dg.SkipReason(f"{len(waiting)} new files wait for the run that is going on.")
        tags = {"zhongtai/merchant": merchant.name, WAITING: _mark(waiting)}
        recent = context.instance.get_runs(
            dg.RunsFilter(
                job_name=JOB,
                tags={"zhongtai/merchant": merchant.name},
                created_after=datetime.now(UTC) - AGAIN_AFTER,
            )
        )
        if any(not run.is_finished for run in recent):
            return dg.SkipReason(f"{len(waiting)} new files wait for a run that is starting.")
        if any(run.tags.get(WAITING) == tags[WAITING] for run in recent):
            return dg.SkipReason(
                f"The run for {len(waiting)} new files failed; they are tried again after ten minutes."
            )
        return dg.RunRequest(tags=tags)

    return dg.Definitions(sensors=[files_arrived])


def _mark(waiting: list[Source]) -> str:
    """The same for the same files; a run with it that left them waiting has failed."""
    return hashlib.sha256("\n".join(str(source) for source in waiting).encode()).hexdigest()
