"""When the whole run starts because something arrived."""

import hashlib

import dagster as dg

from orchestration.defs.jobs import JOB
from zhongtai import lock
from zhongtai.ingest import landing
from zhongtai.ingest.contract import load_contracts
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """A look into the silos' folders every half minute; it reads names and sizes, not contents."""

    @dg.sensor(
        name="files_arrived",
        job_name=JOB,
        minimum_interval_seconds=30,
        description="Starts the whole run when a silo's folder has a file that has not landed yet.",
    )
    def files_arrived() -> dg.RunRequest | dg.SkipReason:
        waiting = landing.waiting(merchant, load_contracts(settings.sources, sorted(merchant.silos)))
        if not waiting:
            return dg.SkipReason("Nothing new in the silos' folders.")
        if lock.is_held(merchant):
            return dg.SkipReason(f"{len(waiting)} new files wait for the run that is going on.")
        key = hashlib.sha256("\n".join(str(source) for source in waiting).encode()).hexdigest()
        return dg.RunRequest(run_key=key)

    return dg.Definitions(sensors=[files_arrived])
