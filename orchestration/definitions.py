"""The code location of one merchant (`ZHONGTAI_MERCHANT`), as workspace.yaml loads it."""

import dagster as dg

from orchestration.defs import ingest, jobs, publish, quality, resources, schedules, sensors, transform
from zhongtai import merchant, settings


def build(name: str | None = None) -> dg.Definitions:
    """Everything that Dagster runs and shows for a merchant."""
    configuration = settings.load()
    chosen = merchant.load(name, configuration)
    stages = (ingest, transform, quality, publish, jobs, schedules, sensors, resources)
    return dg.Definitions.merge(*(stage.build(chosen, configuration) for stage in stages))


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster` loads."""
    return build()
