"""Which period of the calendar a file holds: a day, a week or a month."""

from __future__ import annotations

import numpy as np

OF_CADENCE = {"once": "month", "hourly": "day", "daily": "day", "weekly": "week", "monthly": "month"}


def starts(dates: np.ndarray, unit: str) -> np.ndarray:
    """The first date (datetime64[D]) of the period that holds each date. Weeks begin on Monday."""
    if unit == "month":
        return dates.astype("datetime64[M]").astype("datetime64[D]")
    if unit == "week":
        # 1970-01-01 was a Thursday.
        return dates - ((dates.astype("int64") + 3) % 7).astype("timedelta64[D]")
    return dates


def last_date(start: np.datetime64, unit: str) -> np.datetime64:
    """The last date of the period that begins then."""
    if unit == "month":
        return (start.astype("datetime64[M]") + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return start + np.timedelta64({"day": 0, "week": 6}[unit], "D")


def label(start: np.datetime64, unit: str) -> str:
    """What a file's name says: 20251111, 2025-W46 or 2025-11."""
    date = start.astype("datetime64[D]").item()
    if unit == "month":
        return f"{date:%Y-%m}"
    if unit == "week":
        year, week, _ = date.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{date:%Y%m%d}"
