"""What carriers offer: lanes from a warehouse to a macro-region, services and promised hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhongtai.simulator.world import World

SERVICES = np.array(["instant", "half_day", "next_day", "standard", "pickup"], object)
MACRO_REGIONS = np.array(["华北", "东北", "华东", "华中", "华南", "西南", "西北"], object)
_NEIGHBOURS = {
    "华北": ("东北", "华东", "华中", "西北"),
    "东北": ("华北",),
    "华东": ("华北", "华中", "华南"),
    "华中": ("华北", "华东", "华南", "西南", "西北"),
    "华南": ("华东", "华中", "西南"),
    "西南": ("华中", "华南", "西北"),
    "西北": ("华北", "华中", "西南"),
}
# Hours promised by service within a macro-region, to a neighbour and beyond; 0 where a service does not go.
_HOURS = ((4, 0, 0), (14, 0, 0), (30, 0, 0), (54, 78, 102), (40, 64, 88))
# Which carriers take a service: weights by position.
_WEIGHTS = np.array(
    [
        [0.5, 0.5, 0, 0, 0],
        [0.45, 0.4, 0.15, 0, 0],
        [0.35, 0.3, 0.2, 0.15, 0],
        [0.12, 0.14, 0.34, 0.22, 0.18],
        [0.2, 0.2, 0.3, 0.3, 0],
    ]
)


@dataclass(frozen=True)
class Lanes:
    """What is on offer.

    Attributes:
        macro: for each city the row of MACRO_REGIONS.
        tier: 0 within the macro-region, 1 to a neighbour, 2 beyond; shape (warehouses, macro-regions).
        hours: promised hours, 0 where not served; shape (carriers, warehouses, macro-regions, services).
    """

    macro: np.ndarray
    tier: np.ndarray
    hours: np.ndarray

    def promised(
        self, carrier: np.ndarray, warehouse: np.ndarray, region: np.ndarray, service: np.ndarray
    ) -> np.ndarray:
        """Promised hours of parcels."""
        return self.hours[carrier, warehouse, self.macro[region], service]

    def carriers(
        self, warehouse: np.ndarray, region: np.ndarray, service: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """A carrier of each parcel that serves its lane."""
        count = len(self.hours)
        share = np.cumsum(_WEIGHTS[:, :count] / _WEIGHTS[:, :count].sum(axis=1, keepdims=True), axis=1)
        drawn = (rng.random(len(service))[:, None] >= share[service]).sum(axis=1)
        carrier = np.minimum(drawn, count - 1)
        served = self.hours[carrier, warehouse, self.macro[region], service] > 0
        return np.where(served, carrier, 0)

    def served(self) -> tuple[np.ndarray, ...]:
        """Carrier, warehouse, macro-region and service of every agreement."""
        return np.nonzero(self.hours > 0)


def build_lanes(world: World) -> Lanes:
    """The lanes of a merchant; pick-up goes wherever standard does."""
    macro = np.array([int(np.flatnonzero(name == MACRO_REGIONS)[0]) for name in world.regions["macro_region"]])
    homes = MACRO_REGIONS[macro[world.warehouses["region"].to_numpy()]]
    tier = np.array(
        [[0 if home == name else 1 if name in _NEIGHBOURS[home] else 2 for name in MACRO_REGIONS] for home in homes]
    )
    by_tier = np.array(_HOURS, float).T[tier]
    carriers = len(world.carriers)
    offered = (_WEIGHTS[:, :carriers] > 0).T
    # Those that are not so good promise less.
    slack = np.where(world.carriers["quality"] == "good", 1.0, 1.1)
    hours = slack[:, None, None, None] * by_tier[None] * offered[:, None, None, :]
    return Lanes(macro, tier, np.round(hours))
