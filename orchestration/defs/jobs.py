"""The one whole run: from silos to a published release."""

import dagster as dg

from zhongtai import alerts
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

JOB = "build_release"


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """The job of all assets and checks; a step that fails raises an alert."""

    @dg.failure_hook(name="raise_alert")
    def raise_alert(context: dg.HookContext) -> None:
        message = str(context.op_exception) if context.op_exception else "failed"
        alerts.raise_alert(merchant, settings, context.run_id, context.op.name, message)

    return dg.Definitions(
        jobs=[
            dg.define_asset_job(
                JOB,
                selection=dg.AssetSelection.all(),
                description=f"Silos of {merchant.title} to a published release.",
                hooks={raise_alert},
                tags={"zhongtai/merchant": merchant.name},
            )
        ]
    )
