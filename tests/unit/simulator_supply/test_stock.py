"""Stock is never negative, and every unit is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.unit.simulator_supply.conftest import Merchant
from zhongtai.simulator.supply import Fulfilment, fulfil, serve
from zhongtai.simulator.versions import chunks, versions
from zhongtai.simulator.world import World

SEEDS = (1, 2, 3)


def wanted_of(merchant: Merchant, count: int = 4_000) -> pd.DataFrame:
    """Wanted lines of random SKUs, more than there is stock for."""
    world, rng = merchant.world, np.random.default_rng(5)
    return pd.DataFrame(
        {
            "day": np.sort(rng.integers(0, world.days, count)),
            "sku": rng.integers(0, len(world.skus), count),
            "warehouse": rng.integers(0, len(world.warehouses), count),
            "units": rng.integers(1, 6, count),
        }
    )


def fulfil_anew(world: World, wanted: pd.DataFrame) -> Fulfilment:
    """Serves other demand in a world that tests share: what is planted on the way stays out of its truth."""
    return fulfil(replace(world, truth={}), wanted)


def by_cell(world: World, day, sku, warehouse, units) -> np.ndarray:
    """Units by day, SKU and warehouse; what happens after the last day is left out."""
    total = np.zeros((world.days, len(world.skus), len(world.warehouses)), np.int64)
    inside = (np.asarray(day) >= 0) & (np.asarray(day) < world.days)
    np.add.at(total, tuple(np.asarray(part)[inside] for part in (day, sku, warehouse)), np.asarray(units)[inside])
    return total


def flows(world: World, result: Fulfilment) -> np.ndarray:
    """What came in and went out by transfers and receipts, from the papers."""
    deliveries, lines, transfers = result.deliveries, result.lines, result.transfers
    line = deliveries["line"].to_numpy()
    warehouse = result.orders["warehouse"].to_numpy()[lines["order"].to_numpy()[line]]
    received = world.day_of(deliveries["received_at"].to_numpy())
    total = by_cell(world, received, lines["sku"].to_numpy()[line], warehouse, deliveries["accepted_units"])
    left, came = (world.day_of(transfers[name].to_numpy().astype("M8[s]")) for name in ("shipped_at", "received_at"))
    total += by_cell(world, came, transfers["sku"], transfers["to_warehouse"], transfers["units"])
    return total - by_cell(world, left, transfers["sku"], transfers["from_warehouse"], transfers["units"])


@pytest.mark.parametrize("seed", SEEDS)
def test_stock_is_never_negative(merchants: Callable[[str, int], Merchant], seed: int) -> None:
    result = merchants("xs", seed).fulfilment
    assert result.locked.min() >= 0
    assert (result.on_hand - result.locked).min() >= 0
    assert result.in_transit.min() >= 0


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cell_and_day_balances(merchants: Callable[[str, int], Merchant], seed: int) -> None:
    world = merchants("xs", seed).world
    wanted = wanted_of(merchants("xs", seed))
    result = fulfil_anew(world, wanted)
    kept = wanted[result.kept]
    assert 0.1 < result.kept.mean() < 0.95
    sold = by_cell(world, kept["day"], kept["sku"], kept["warehouse"], kept["units"])
    available = (result.on_hand - result.locked).astype(np.int64)
    opening = np.concatenate([result.opening[None], available[:-1]])
    np.testing.assert_array_equal(opening + flows(world, result) - sold, available)


def test_units_on_the_road_are_shipped_and_not_received(year: Merchant) -> None:
    world, result = year.world, year.fulfilment
    line = result.deliveries["line"].to_numpy()
    sku = result.lines["sku"].to_numpy()[line]
    warehouse = result.orders["warehouse"].to_numpy()[result.lines["order"].to_numpy()[line]]
    units = result.deliveries["shipped_units"].to_numpy()
    change = np.zeros(result.in_transit.shape, np.int64)
    for name, sign in (("shipped_at", 1), ("received_at", -1)):
        change += sign * by_cell(world, world.day_of(result.deliveries[name].to_numpy()), sku, warehouse, units)
        moved = result.transfers
        day = world.day_of(moved[name].to_numpy())
        change += sign * by_cell(world, day, moved["sku"], moved["to_warehouse"], moved["units"])
    np.testing.assert_array_equal(change.cumsum(axis=0), result.in_transit)


def test_serving_is_first_come_first_served() -> None:
    cell = np.array([0, 0, 0, 2, 2, 2])
    units = np.array([3, 3, 1, 5, 2, 2])
    served = serve(cell, units, np.array([4, 9, 4]))
    # The second line of cell 0 finds 1 unit left, which serves the third; cell 2's first wants too much.
    assert served.tolist() == [True, False, True, False, True, True]


def test_the_same_seed_gives_the_same_stock(small: Merchant) -> None:
    wanted = wanted_of(small, 500)
    first, second = fulfil_anew(small.world, wanted), fulfil_anew(small.world, wanted)
    np.testing.assert_array_equal(first.on_hand, second.on_hand)
    assert first.orders.equals(second.orders)
    assert first.invoices.payments.equals(second.invoices.payments)


def test_a_version_is_the_last_state_of_a_day(small: Merchant) -> None:
    world = small.world
    begin = world.at(np.array([3, 3, -9, world.days - 1]), np.array([100, 100, 0, 100]))
    end = world.at(np.array([3, 4, -8, world.days]), np.array([500, 100, 0, 100]))
    rows = versions(world, [begin, end])
    assert list(zip(rows.thing.tolist(), rows.stage.tolist(), rows.day.tolist(), strict=True)) == [
        (2, 1, 0),
        (1, 0, 3),
        (0, 1, 3),
        (1, 1, 4),
        (3, 0, world.days - 1),
    ]


def test_chunks_are_of_whole_days() -> None:
    days = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    parts = [days[part].tolist() for part in chunks(days, 2)]
    assert parts == [[0, 0, 0], [1, 1], [2, 2, 2, 2]]
