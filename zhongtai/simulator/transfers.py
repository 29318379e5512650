"""Stock moved between warehouses: weekly, from where too much lies to where it runs out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator.world import World

_WEEKDAY = 0
_COLUMNS = ["from_warehouse", "to_warehouse", "sku", "units", "shipped_at", "received_at", "cost_amount"]


@dataclass
class Moved:
    """Units that leave today, a row a transfer."""

    from_cell: np.ndarray
    to_cell: np.ndarray
    units: np.ndarray
    shipped_day: np.ndarray
    received_day: np.ndarray

    def leaving(self, cells: int) -> np.ndarray:
        """Units that leave each cell."""
        return np.bincount(self.from_cell, weights=self.units, minlength=cells).astype(np.int64)

    def entering(self, cells: int) -> np.ndarray:
        """Units on their way to each cell."""
        return np.bincount(self.to_cell, weights=self.units, minlength=cells).astype(np.int64)


class Mover:
    """Decides transfers and remembers them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng("transfers")
        self._moved: list[pd.DataFrame] = []

    def move(self, day: int, available: np.ndarray, on_order: np.ndarray, rate: np.ndarray) -> Moved:
        """The transfers of a day: at most one a SKU, and only on Mondays.

        Args:
            available: units that are promised to nobody, of every cell.
            on_order: units that will come, of every cell.
            rate: units a day that every cell is expected to sell.
        """
        warehouses = len(self._world.warehouses)
        none = np.zeros(0, np.int64)
        if self._world.calendar["weekday"].to_numpy()[day] != _WEEKDAY or warehouses < 2:
            return Moved(none, none, none, none, none)
        stock = available.reshape(-1, warehouses)
        pace = rate.reshape(-1, warehouses)
        over = np.floor(stock - pace * 40 - 1)
        lack = np.ceil(pace * 12) - stock - on_order.reshape(-1, warehouses)
        giver, taker = over.argmax(axis=1), lack.argmax(axis=1)
        every = np.arange(len(stock))
        units = np.minimum(over[every, giver], lack[every, taker] + np.ceil(pace[every, taker] * 8)).astype(np.int64)
        sku = np.flatnonzero((over[every, giver] >= 2) & (lack[every, taker] >= 1) & (units >= 2) & (giver != taker))
        giver, taker, units = giver[sku], taker[sku], units[sku]
        return self._send(day, sku, giver, taker, units)

    def _send(self, day: int, sku: np.ndarray, giver: np.ndarray, taker: np.ndarray, units: np.ndarray) -> Moved:
        world, rng, count = self._world, self._rng, len(sku)
        shipped = world.at(day, rng.integers(14 * 3600, 19 * 3600, count))
        received_day = day + rng.integers(1, 5, count)
        received = world.at(received_day, rng.integers(9 * 3600, 18 * 3600, count))
        cost = 800 + units * rng.integers(120, 260, count)
        values = (giver, taker, sku, units, shipped, received, cost)
        self._moved.append(pd.DataFrame(dict(zip(_COLUMNS, values, strict=True))))
        warehouses = len(world.warehouses)
        return Moved(sku * warehouses + giver, sku * warehouses + taker, units, np.full(count, day), received_day)

    def transfers(self) -> pd.DataFrame:
        """All transfers: from_warehouse, to_warehouse, sku, units, shipped_at, received_at, cost_amount (cents)."""
        if not self._moved:
            return pd.DataFrame({name: np.zeros(0, np.int64) for name in _COLUMNS})
        return pd.concat(self._moved, ignore_index=True)
