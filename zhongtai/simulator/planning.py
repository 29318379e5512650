"""How the merchant plans stock: what it thinks sells, when it orders, and what it prepares campaigns with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.purchasing import Terms
from zhongtai.simulator.world import HORIZON, World

# A SKU is known to the ERP so many days before its launch, and its first order follows a day later.
KNOWN_BEFORE = 21
_LEARNING_DAYS = 35
_SAFETY = 1.0
_NEGLECTED_RATE = 0.12  # planted: SKUs whose reorder points are far too low
_PREPARED_RATE = 0.6
_PREPARED_BEFORE = 12
_HELD_BEFORE, _HELD_AFTER = 12, 6
_COVER_DAYS = {"standard": 24, "jit": 9, "vmi": 14}


class Planner:
    """Expected sales of every cell and the orders that follow from them.

    Attributes:
        opening: units of every cell before day 0.
        rate: units a day that the merchant expects of every cell.
    """

    def __init__(self, world: World, terms: Terms) -> None:
        rng = world.rng("planning")
        self._world = world
        self._warehouses = warehouses = len(world.warehouses)
        skus, suppliers = world.skus, world.suppliers
        self._demand = world.calendar["demand"].to_numpy()
        self._share = np.bincount(
            world.nearest_warehouse, weights=world.regions["weight"].to_numpy(), minlength=warehouses
        )
        self._launched = self._of_cells(skus["launched_day"].to_numpy())
        ended = skus["delisted_day"].to_numpy()
        self._ended = self._of_cells(np.where(ended < 0, HORIZON, ended))
        self._minimum = self._of_cells(terms.minimum_units)
        supplier = skus["supplier"].to_numpy()
        self._core = self._of_cells(suppliers["is_core"].to_numpy()[supplier])
        self._weekday = self._of_cells(supplier % 7)
        cover = suppliers["supply_mode"].map(_COVER_DAYS).to_numpy()
        self._cover = self._of_cells(cover[supplier])
        lead = self._of_cells(terms.lead_days[supplier])
        self._horizon = lead + np.where(self._core, 1, 7) + 0.5
        neglected = rng.random(len(skus)) < _NEGLECTED_RATE
        world.truth["neglected_skus"] = pd.DataFrame({"sku_id": skus["sku_id"].to_numpy()[neglected]})
        self._care = self._of_cells(np.where(neglected, 0.0, 1.0))
        daily = world.scale.orders * 1.9 * 1.23 / world.days
        belief = skus["popularity"].to_numpy() * daily * rng.uniform(0.75, 1.35, len(skus))
        self.rate = (belief[:, None] * self._share).ravel()
        prepared = self._prepared(rng)
        self._planned = self._campaign_orders(prepared)
        self._held = self._held_back(~prepared)
        self.opening = self._opening(daily, rng)

    def learn(self, day: int, sold: np.ndarray, stocked: np.ndarray) -> None:
        """Smooths the sales of days with stock; what a great sale adds is not taken for the rule."""
        usual = sold / max(1.0, self._demand[day])
        seen = stocked & (self._launched <= day)
        self.rate += np.where(seen, (usual - self.rate) / _LEARNING_DAYS, 0)

    def orders(self, day: int, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells to order today and how much: fallen to the reorder point, launched soon, or wanted by a campaign.

        Args:
            position: units available and on order, of every cell.
        """
        ahead = self.rate * self._horizon
        point = np.ceil((ahead + _SAFETY * np.sqrt(ahead)) * self._care)
        selling = (self._launched <= day) & (self._ended > day + 20) & ~self._of_cells(self._held[day])
        due = selling & (self._core | (self._weekday == day % 7)) & (position <= point) & (self.rate > 0.004)
        up_to = point + np.maximum(self._minimum, np.ceil(self.rate * self._cover))
        units = np.where(due, np.maximum(up_to - position, self._minimum), 0)
        starting = self._launched == day + KNOWN_BEFORE - 1
        units = np.where(starting, np.maximum(self._minimum, self._first_units()), units)
        for cell, wanted in self._planned.pop(day, ()):
            short = wanted + np.ceil(self.rate[cell] * 10) - position[cell]
            units[cell] = np.maximum(units[cell], np.where(short > 0, np.maximum(short, self._minimum[cell]), 0))
        cells = np.flatnonzero(units > 0)
        return cells, units[cells].astype(np.int64)

    def _of_cells(self, values: np.ndarray) -> np.ndarray:
        """A value of each SKU for all its cells."""
        return np.repeat(values, self._warehouses)

    def _first_units(self) -> np.ndarray:
        """Units of a launch: a month of brisk sale, and what was reserved."""
        skus = self._world.skus
        presale = skus["is_presale"].to_numpy()
        reserved = self._world.scale.orders * 0.015 / max(1, presale.sum()) * np.where(presale, 1.3, 0)
        return np.ceil(self.rate * 45 + (reserved[:, None] * self._share).ravel() + 1)

    def _opening(self, daily: float, rng: np.random.Generator) -> np.ndarray:
        """Stock before day 0: some weeks of expected sales; of some SKUs that hardly sell, far too much."""
        cells = len(self.rate)
        units = np.ceil(self.rate * rng.uniform(14, 40, cells) + rng.uniform(0, 3, cells))
        popularity = self._world.skus["popularity"].to_numpy()
        dead = popularity < np.quantile(popularity, 0.05)
        overhang = np.ceil(daily / len(popularity) * 60 * self._share * rng.uniform(0.5, 1.5, (len(popularity), 1)))
        units += np.where(dead[:, None], overhang, 0).ravel()
        units = np.where((self._launched >= 0) & (self._launched < KNOWN_BEFORE - 1), self._first_units(), units)
        return np.where(self._launched < KNOWN_BEFORE - 1, units, 0).astype(np.int64)

    def _prepared(self, rng: np.random.Generator) -> np.ndarray:
        """Which campaigns the warehouses know of in time; planted: some they do not."""
        campaigns = self._world.campaigns
        prepared = rng.random(len(campaigns)) < _PREPARED_RATE
        prepared[:2] = [True, False]
        self._world.truth["campaign_stock"] = pd.DataFrame(
            {"campaign_id": campaigns["campaign_id"], "is_prepared": prepared}
        )
        return prepared

    def _campaign_orders(self, prepared: np.ndarray) -> dict[int, list[tuple[np.ndarray, np.ndarray]]]:
        """By day, cells and the units that a prepared campaign wants there."""
        every = self._world.campaign_skus
        starts = self._world.campaigns["start_day"].to_numpy()
        plans: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        for campaign in np.flatnonzero(prepared):
            own = every["campaign"].to_numpy() == campaign
            sku, units = every["sku"].to_numpy()[own], every["planned_units"].to_numpy()[own]
            cell = (sku[:, None] * self._warehouses + np.arange(self._warehouses)).ravel()
            wanted = np.ceil((units[:, None] * self._share).ravel())
            day = max(0, int(starts[campaign]) - _PREPARED_BEFORE)
            plans.setdefault(day, []).append((cell, wanted))
        return plans

    def _held_back(self, unprepared: np.ndarray) -> np.ndarray:
        """SKUs that are not reordered on a day, shape (days, SKUs): purchasing waits for plans that never come."""
        world = self._world
        held = np.zeros((world.days, len(world.skus)), bool)
        every, starts = world.campaign_skus, world.campaigns["start_day"].to_numpy()
        for campaign in np.flatnonzero(unprepared):
            sku = every["sku"].to_numpy()[every["campaign"].to_numpy() == campaign]
            start = int(starts[campaign])
            held[max(0, start - _HELD_BEFORE) : start + _HELD_AFTER, sku] = True
        return held
