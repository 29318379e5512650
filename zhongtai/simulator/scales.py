"""How large a simulated merchant is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from zhongtai.errors import UsageError


@dataclass(frozen=True)
class Scale:
    """Size and period of a simulated merchant.

    Attributes:
        days: length of the period; its last day is `last_date`.
        users: people.
        orders: orders of all silos that are wanted in the period; those without any stock vanish.
        events: events of the storefront in the period.
        stores: offline stores, pop-ups and pick-up points.
    """

    name: str
    days: int
    last_date: date
    users: int
    orders: int
    events: int
    skus: int
    warehouses: int
    stores: int
    campaigns: int
    contents: int
    live_sessions: int

    @property
    def first_date(self) -> date:
        """First business date."""
        return self.last_date - timedelta(days=self.days - 1)


_YEAR_END = date(2025, 12, 31)

SCALES = {
    "xs": Scale("xs", 60, date(2025, 11, 30), 300, 1_000, 15_000, 80, 2, 4, 10, 30, 16),
    "s": Scale("s", 420, _YEAR_END, 3_000, 10_000, 200_000, 400, 3, 8, 40, 150, 120),
    "m": Scale("m", 365, _YEAR_END, 200_000, 1_000_000, 20_000_000, 10_000, 6, 30, 80, 2_000, 365),
    "l": Scale("l", 365, _YEAR_END, 1_000_000, 5_000_000, 100_000_000, 50_000, 6, 60, 160, 5_000, 730),
}


def scale_of(name: str) -> Scale:
    """The scale of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in SCALES:
        raise UsageError(f"There is no scale '{name}'. Choose one of {', '.join(SCALES)}.")
    return SCALES[name]
