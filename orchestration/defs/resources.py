"""What every step of a run shares: the merchant's lock, and what the run was asked for."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

import dagster as dg
from pydantic import Field, PrivateAttr

from zhongtai import lock
from zhongtai.changes.build import Wanted, date_range
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings


class RunOptions(dg.ConfigurableResource):
    """What a run was asked for; holds the merchant's lock while the run goes on."""

    merchant: str
    as_of: str | None = Field(default=None, description="Moment to compute for (ISO 8601); default: the data's end.")
    known_at: int | None = Field(default=None, description="Landing position to know of; default: the last.")
    full_refresh: bool = Field(default=False, description="Build every table from the ground.")
    rebuild: str | None = Field(default=None, description="Business dates to build again (2025-11-01..2025-11-30).")

    _merchant: Merchant = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["RunOptions", None, None]:
        from zhongtai import merchant

        with lock.hold(merchant.load(self.merchant), context.run_id or "no run"):
            yield self

    @property
    def moment(self) -> datetime | None:
        """`as_of` as a moment."""
        return datetime.fromisoformat(self.as_of) if self.as_of else None

    @property
    def wanted(self) -> Wanted:
        """What the middle layer is to build."""
        return Wanted(is_full=self.full_refresh, again=date_range(self.rebuild) if self.rebuild else None)


def build(merchant: Merchant, settings: Settings) -> dg.Definitions:
    """Steps of one run share one process, and so one lock and one connection at a time to the warehouse."""
    return dg.Definitions(
        resources={"run_options": RunOptions(merchant=merchant.name)},
        executor=dg.in_process_executor,
    )
