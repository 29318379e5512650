"""A merchant with what it sold, moved and shipped, and the files of the silos around selling; made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from zhongtai.simulator import crm, erp, logistics, market, marketing, selling, weather
from zhongtai.simulator.files import Silos
from zhongtai.simulator.scales import SCALES
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.supply import Fulfilment
from zhongtai.simulator.world import World, build_world


@dataclass(frozen=True)
class Merchant:
    """A simulated merchant before its files."""

    world: World
    sold: Orders
    fulfilment: Fulfilment
    shipping: pd.DataFrame


def merchant_of(scale: str, seed: int) -> Merchant:
    world = build_world(SCALES[scale], seed)
    sold, fulfilment = selling.sell(world)
    shipping = logistics.ship(world, sold.orders)
    selling.add_delivery(world, sold, shipping)
    return Merchant(world, sold, fulfilment, shipping)


def write_files(merchant: Merchant, root: Path) -> Path:
    """The files of six silos, without planted defects."""
    silos = Silos(root, merchant.world)
    weather.write(merchant.world, silos)
    erp.write(merchant.world, silos, merchant.fulfilment)
    logistics.write(merchant.world, silos, merchant.sold.orders, merchant.shipping)
    market.write(merchant.world, silos)
    marketing.write(merchant.world, silos, merchant.sold.orders)
    crm.write(merchant.world, silos, merchant.sold)
    silos.close()
    return root


@pytest.fixture(scope="session")
def merchants() -> Callable[[str, int], Merchant]:
    """Gives the merchant of a scale and seed."""
    made: dict[tuple[str, int], Merchant] = {}

    def merchant(scale: str, seed: int) -> Merchant:
        if (scale, seed) not in made:
            made[scale, seed] = merchant_of(scale, seed)
        return made[scale, seed]

    return merchant


@pytest.fixture(scope="session")
def small(merchants: Callable[[str, int], Merchant]) -> Merchant:
    return merchants("xs", 1)


@pytest.fixture(scope="session")
def year(merchants: Callable[[str, int], Merchant]) -> Merchant:
    """Fourteen months, for what shows in numbers only."""
    return merchants("s", 1)


@pytest.fixture(scope="session")
def root(small: Merchant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the small merchant."""
    return write_files(small, tmp_path_factory.mktemp("silos"))
