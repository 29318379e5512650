"""What is in an order, and what it costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.demand import RANGE_OF_STORE
from zhongtai.simulator.world import World

_SIZES, _SIZE_SHARES = [1, 2, 3, 4], [0.48, 0.3, 0.14, 0.08]
_FROM_CAMPAIGN = 0.7


def wanted_lines(world: World, orders: pd.DataFrame) -> pd.DataFrame:
    """The lines that people want: order, sku, units, is_gift; a SKU once an order."""
    rng = world.rng("lines")
    presale = orders["presale_sku"].to_numpy()
    size = np.where(presale >= 0, 1, rng.choice(_SIZES, len(orders), p=_SIZE_SHARES))
    order = np.repeat(np.arange(len(orders)), size)
    day = orders["paid_day"].to_numpy()[order]
    sku = _by_popularity(world, day, rng)
    campaign = orders["campaign"].to_numpy()[order]
    of_campaign = (campaign >= 0) & (rng.random(len(order)) < _FROM_CAMPAIGN)
    sku[of_campaign] = _of_campaign(world, campaign[of_campaign], rng)
    store = orders["store"].to_numpy()[order]
    sku[store >= 0] = _of_range(world, store[store >= 0], rng)
    sku = np.where(presale[order] >= 0, presale[order], sku)
    units = rng.choice([1, 2, 3], len(order), p=[0.82, 0.13, 0.05])
    lines = pd.DataFrame({"order": order, "sku": sku, "units": units, "is_gift": False})
    gifts = _gifts(world, orders, rng)
    lines = pd.concat([lines[lines["sku"] >= 0], gifts]).sort_values("order", kind="stable", ignore_index=True)
    twice = _repeated(lines["order"].to_numpy() * len(world.skus) + lines["sku"].to_numpy())
    return lines[~twice].reset_index(drop=True)


def _repeated(key: np.ndarray) -> np.ndarray:
    """Whether the same key stands above."""
    _, first = np.unique(key, return_index=True)
    again = np.ones(len(key), bool)
    again[first] = False
    return again


def _by_popularity(world: World, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """SKUs by what is liked on the day: on range, in season, new, and cheap against the launch price."""
    skus = world.skus
    launched = skus["launched_day"].to_numpy()
    ended = np.where(skus["delisted_day"] < 0, world.days + 1, skus["delisted_day"])
    peak, seasonal = skus["peak"].to_numpy(), skus["is_seasonal"].to_numpy()
    season = world.calendar["season"].to_numpy()
    base, elasticity = skus["list_amount"].to_numpy(), skus["elasticity"].to_numpy()
    popularity = skus["popularity"].to_numpy() * rng.lognormal(0, 0.1, len(skus))
    every = np.arange(len(skus))
    sku = np.full(len(day), -1)
    order = np.argsort(day, kind="stable")
    bounds = np.searchsorted(day[order], np.arange(world.days + 1))
    for one in range(world.days):
        rows = order[bounds[one] : bounds[one + 1]]
        if not len(rows):
            continue
        fit = 1 + np.where(seasonal, 0.95, 0.4) * peak * season[one]
        newness = np.where(one - launched < 30, 1.8, 1.0)
        price = world.prices(every, np.full(len(skus), one))[1] / base
        weight = popularity * fit * newness * price**-elasticity * ((launched <= one) & (ended > one))
        total = np.cumsum(weight)
        sku[rows] = np.searchsorted(total, rng.random(len(rows)) * total[-1], side="right")
    return sku


def _of_campaign(world: World, campaign: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A SKU of each row's campaign, the popular ones more often."""
    plans = world.campaign_skus
    weight = np.cumsum(world.skus["popularity"].to_numpy()[plans["sku"]])
    starts = np.searchsorted(plans["campaign"], np.arange(len(world.campaigns) + 1))
    below = np.r_[0.0, weight][starts]
    draw = below[campaign] + rng.random(len(campaign)) * (below[campaign + 1] - below[campaign])
    return plans["sku"].to_numpy()[np.minimum(np.searchsorted(weight, draw, side="right"), len(plans) - 1)]


def ranges(world: World) -> np.ndarray:
    """The SKUs on each store's shelves, shape (stores, SKUs of a range): such as are sold the whole time."""
    rng = world.rng("ranges")
    skus = world.skus
    steady = np.flatnonzero((skus["launched_day"] <= 0) & (skus["delisted_day"] < 0) & ~skus["is_seasonal"])
    size = min(RANGE_OF_STORE, len(steady))
    weight = skus["popularity"].to_numpy()[steady] ** 0.5
    share = weight / weight.sum()
    return np.stack([rng.choice(steady, size, replace=False, p=share) for _ in range(len(world.stores))])


def _of_range(world: World, store: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A SKU of each receipt's store; the first of a range sell best."""
    shelf = ranges(world)
    place = (rng.random(len(store)) ** 1.6 * shelf.shape[1]).astype(int)
    return shelf[store, place]


def _gifts(world: World, orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A cheap SKU, given free with the storefront's orders under campaigns with gifts."""
    mechanics = world.campaigns["mechanics"].to_numpy()[np.maximum(orders["campaign"], 0)]
    given = (orders["campaign"] >= 0) & (mechanics == "gift") & (orders["silo"] == "storefront")
    order = np.flatnonzero(given)
    skus = world.skus
    steady = np.flatnonzero((skus["launched_day"] <= 0) & (skus["delisted_day"] < 0))
    cheap = steady[np.argsort(skus["list_amount"].to_numpy()[steady], kind="stable")][: max(3, len(steady) // 20)]
    gift = cheap[rng.integers(0, len(cheap), len(order))]
    return pd.DataFrame({"order": order, "sku": gift, "units": 1, "is_gift": True})


def add_money(world: World, orders: pd.DataFrame, lines: pd.DataFrame) -> None:
    """Adds the amounts of lines, and `shipping_amount`, `payable_amount` and `benefit_amount` of orders."""
    rng = world.rng("money")
    order = lines["order"].to_numpy()
    units = lines["units"].to_numpy()
    campaign = orders["campaign"].to_numpy()
    price = world.prices(lines["sku"].to_numpy(), orders["day"].to_numpy()[order])[1]
    listed = price * units
    cut = np.maximum(price - _campaign_price(world, campaign[order], lines["sku"].to_numpy(), price), 0) * units
    gift = lines["is_gift"].to_numpy()
    cut = np.where(gift, listed, cut)
    benefit = _benefits(world, orders, _sums(order, listed - cut, len(orders)), rng)
    discount = cut + _shared_out(order, np.where(gift, 0, listed - cut), benefit)
    subsidised = orders["silo"].isin(["marketplace", "live"]).to_numpy()[order] & (rng.random(len(lines)) < 0.12)
    rate = np.where(subsidised, rng.choice([0.03, 0.05, 0.08], len(lines)), 0)
    lines["list_amount"] = listed
    lines["discount_amount"] = discount
    lines["subsidy_amount"] = np.floor((listed - discount) * rate).astype(np.int64)
    lines["payable_amount"] = lines["list_amount"] - lines["discount_amount"] - lines["subsidy_amount"]
    goods = _sums(order, lines["payable_amount"].to_numpy(), len(orders))
    remote = world.regions["macro_region"].isin(["西北", "东北"]).to_numpy()[orders["region"]]
    silo = orders["silo"].to_numpy()
    charged = (silo == "storefront") & (goods < 9_900) & (orders["pickup_store"].to_numpy() < 0)
    charged |= (silo == "marketplace") & (goods < 4_900)
    orders["shipping_amount"] = np.where(charged, np.where(remote, 1_200, 800), 0)
    orders["payable_amount"] = goods + orders["shipping_amount"]
    orders["benefit_amount"] = benefit


def _sums(group: np.ndarray, values: np.ndarray, groups: int) -> np.ndarray:
    """Sums of integers by group."""
    return np.bincount(group, weights=values, minlength=groups).astype(np.int64)


def _campaign_price(world: World, campaign: np.ndarray, sku: np.ndarray, price: np.ndarray) -> np.ndarray:
    """The price under the campaign, where the SKU takes part in it."""
    plans = world.campaign_skus
    keys = plans["campaign"].to_numpy() * len(world.skus) + plans["sku"].to_numpy()
    wanted = campaign * len(world.skus) + sku
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = (campaign >= 0) & (keys[place] == wanted)
    discounts = world.campaigns["mechanics"].to_numpy()[np.maximum(campaign, 0)] == "discount"
    return np.where(found & discounts, plans["campaign_price_amount"].to_numpy()[place], price)


def _benefits(world: World, orders: pd.DataFrame, goods: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What spend-and-save and coupons take off each order; outside campaigns some have a coupon of their own."""
    campaign = orders["campaign"].to_numpy()
    row = np.maximum(campaign, 0)
    threshold = world.campaigns["threshold_amount"].to_numpy()[row]
    benefit = world.campaigns["benefit_amount"].to_numpy()[row]
    reached = (campaign >= 0) & (threshold > 0) & (goods >= threshold)
    own = (orders["silo"] == "storefront").to_numpy() & (campaign < 0) & (goods >= 9_900)
    own &= rng.random(len(orders)) < 0.12
    return np.select([reached, own], [benefit, 1_000], 0).astype(np.int64)


def _shared_out(order: np.ndarray, values: np.ndarray, benefit: np.ndarray) -> np.ndarray:
    """The benefit of each order shared out over its lines by value, to the cent."""
    total = _sums(order, values, len(benefit))
    running = np.cumsum(values)
    before = running - values
    first = np.r_[True, order[1:] != order[:-1]]
    offset = before[first][np.cumsum(first) - 1]
    share = benefit[order]
    whole = np.maximum(total[order], 1)
    upper = (running - offset) * share // whole
    return upper - (before - offset) * share // whole
