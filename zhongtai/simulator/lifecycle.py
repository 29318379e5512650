"""What an order looks like on each day on which something happened to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator.world import World

CREATED, PAID, SHIPPED, COMPLETED, CANCELLED = range(5)
_NEVER = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Versions:
    """One row an order and day with a change: the state at the end of that day.

    Attributes:
        order: row of Orders.orders.
        at: when the row was written: the last change of the day.
        day: day index of `at`.
        status: CREATED, PAID, SHIPPED, COMPLETED or CANCELLED.
        paid_at: as known then.
    """

    order: np.ndarray
    at: np.ndarray
    day: np.ndarray
    status: np.ndarray
    paid_at: np.ndarray


def versions(world: World, orders: pd.DataFrame, rows: np.ndarray) -> Versions:
    """The versions of some orders, sorted by order and time."""
    columns = ("placed_at", "paid_at", "shipped_at", "completed_at", "cancelled_at")
    moments = np.stack([orders[column].to_numpy().astype("datetime64[s]")[rows] for column in columns], axis=1)
    # What is cancelled was not also shipped, and what is shipped was paid.
    order, status = np.nonzero(~np.isnat(moments))
    at = moments[order, status]
    place = np.lexsort((status, at, order))
    order, status, at = order[place], status[place], at[place]
    day = world.day_of(at)
    last = np.r_[(order[1:] != order[:-1]) | (day[1:] != day[:-1]), np.ones(min(1, len(order)), bool)]
    order, status, at, day = order[last], status[last], at[last], day[last]
    paid = moments[order, PAID]
    return Versions(rows[order], at, day, status, np.where(paid <= at, paid, _NEVER))


def last_of(key: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Whether a row is the last of its key in its period; rows are sorted by key and time."""
    return np.r_[(key[1:] != key[:-1]) | (period[1:] != period[:-1]), np.ones(min(1, len(key)), bool)]
