"""When the whole run starts by the clock."""

import dagster as dg

from orchestration.defs.jobs import JOB
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """Every morning at six by the merchant's clock, before operators come in."""
    daily = dg.ScheduleDefinition(
        name="every_morning",
        job_name=JOB,
        cron_schedule="0 6 * * *",
        execution_timezone=merchant.time_zone,
        description=f"The whole run at 06:00 {merchant.time_zone}.",
    )
    return dg.Definitions(schedules=[daily])
