"""Rows of things that change: the last state of each day, or half day, on which they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zhongtai.simulator.world import UTC_OFFSET, World

_HALF_DAY = 12 * 3600


@dataclass
class Versions:
    """Rows to write, by time.

    Attributes:
        thing: row position of the thing.
        stage: which of its instants is the last that has happened.
        updated_at: that instant.
        day: its day index; times before day 0 count as day 0.
    """

    thing: np.ndarray
    stage: np.ndarray
    updated_at: np.ndarray
    day: np.ndarray

    def shown(self, instants: np.ndarray) -> np.ndarray:
        """An instant of each thing, where it has happened by the row's time; else NaT."""
        values = instants.astype("datetime64[s]")[self.thing]
        return np.where(values <= self.updated_at, values, np.datetime64("NaT", "s"))

    @property
    def halves(self) -> np.ndarray:
        """Whether each row was written in the morning ('am') or after noon ('pm') of the local day."""
        second = (self.updated_at + UTC_OFFSET).astype("int64") % (2 * _HALF_DAY)
        return np.where(second < _HALF_DAY, "am", "pm")


def versions(world: World, stages: list[np.ndarray], half_days: bool = False) -> Versions:
    """The states that files show.

    Args:
        stages: for each stage the instants of all things, NaT where it never comes; later stages are later.
        half_days: files are of half days.
    """
    times = np.stack([np.asarray(stage).astype("datetime64[s]") for stage in stages], axis=1)
    happened = ~np.isnat(times) & (np.where(np.isnat(times), world.end, times) < world.end)
    known = np.where(happened, times, world.end)
    seconds = _HALF_DAY if half_days else 2 * _HALF_DAY
    # What lies before the first day is in the first file: one row a thing, its last state.
    period = (np.maximum(known, world.midnight(0)) + UTC_OFFSET).astype("int64") // seconds
    last = happened.copy()
    for stage in range(times.shape[1]):
        for later in range(stage + 1, times.shape[1]):
            last[:, stage] &= ~(happened[:, later] & (period[:, later] == period[:, stage]))
    things, reached = np.nonzero(last)
    updated = known[things, reached]
    order = np.argsort(updated, kind="stable")
    return Versions(things[order], reached[order], updated[order], np.maximum(world.day_of(updated[order]), 0))


def chunks(days: np.ndarray, rows: int) -> Iterator[slice]:
    """Slices of rows sorted by day, each of about so many rows and of whole days."""
    start = 0
    while start < len(days):
        stop = min(start + rows, len(days))
        if stop < len(days):
            stop = int(np.searchsorted(days, days[stop - 1], side="right"))
        yield slice(start, stop)
        start = stop
