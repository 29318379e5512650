"""Demand: who wants what, where and when, before anybody looks whether there is stock."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.world import World

SHARES = {"storefront": 0.46, "marketplace": 0.28, "live": 0.13, "stores": 0.13}
_POOLS = {"storefront": "account", "marketplace": "buyer", "live": "open_id", "stores": "card"}
# More than is asked for, because some find no stock or are turned down.
_SURPLUS = 1.06
CHANNELS = np.array(
    ["direct", "search_engine", "ads", "xiaohongshu", "douyin", "mini_program", "wecom", "group", "sms"], object
)
CHANNEL_SHARES = [0.17, 0.15, 0.19, 0.12, 0.08, 0.12, 0.08, 0.06, 0.03]
_HOURS = np.array(
    [2, 1, 0.6, 0.4, 0.4, 0.6, 1.5, 3, 4.5, 5.5, 6, 5.8, 6.2, 5.2, 4.6, 4.6, 4.8, 5, 5.6, 7, 9, 9.5, 7.5, 4]
)
_SALE_HOURS = np.array([14, 6, 2, 1, 0.6, 0.6, 1.5, 3, 4, 4.5, 5, 4.6, 5, 4.2, 4, 4, 4, 4.6, 6, 9, 24, 16, 9, 6])
_STORE_HOURS = np.array([0] * 10 + [4, 6, 7, 6, 6, 7, 8, 9, 10, 10, 8, 5, 0, 0])
RANGE_OF_STORE = 60
# Where a seed may plant the break of the funnel: channels and devices with enough visits to see it.
_BREAKABLE = ("search_engine", "ads", "xiaohongshu", "mini_program"), ("ios", "android")


def wanted_orders(world: World) -> pd.DataFrame:
    """Orders as people want them, by time; see selling.Orders for the columns."""
    frames = [_of_silo(world, silo, int(world.scale.orders * share * _SURPLUS)) for silo, share in SHARES.items()]
    frames.append(_presales(world))
    orders = pd.concat(frames, ignore_index=True)
    orders = orders.sort_values("placed_at", kind="stable", ignore_index=True)
    orders["silo"] = pd.Categorical(orders["silo"], categories=list(SHARES))
    _add_destination(world, orders)
    _add_channel(world, orders)
    return _without_broken(world, orders)


def _of_silo(world: World, silo: str, count: int) -> pd.DataFrame:
    rng = world.rng("demand", silo)
    calendar = world.calendar
    demand = calendar["demand"].to_numpy() * _campaign_boost(world)
    if silo == "stores":
        demand = np.where(calendar["weekday"] >= 5, 1.7, 0.8) * np.where(calendar["is_holiday"], 1.4, 1.0)
    if silo == "marketplace":
        demand = demand**1.15
    live_session = np.full(count, -1)
    if silo == "live":
        sessions = world.live_sessions
        size = demand[sessions["day"]] * rng.lognormal(0, 0.4, len(sessions))
        live_session = np.sort(rng.choice(len(sessions), count, p=size / size.sum()))
        length = (sessions["end"] - sessions["start"]).dt.total_seconds().to_numpy()[live_session]
        into = (rng.beta(1.6, 1.6, count) * length).astype("timedelta64[s]")
        placed = sessions["start"].to_numpy().astype("datetime64[s]")[live_session] + into
        day = world.day_of(placed)
    else:
        day = np.repeat(np.arange(world.days), rng.multinomial(count, demand / demand.sum()))
        placed = world.at(day, seconds_of_day(world, silo, day, rng))
    identity = _buyers(world, silo, day, rng)
    person = np.where(identity >= 0, world.identities["person"].to_numpy()[identity], -1)
    keep = identity >= (-1 if silo == "stores" else 0)
    frame = pd.DataFrame({"silo": silo, "identity": identity, "person": person, "day": day, "placed_at": placed})
    frame["live_session"] = live_session
    frame["campaign"] = -1 if silo == "stores" else _campaigns(world, day, person, rng)
    frame["store"] = _stores(world, day, rng) if silo == "stores" else -1
    frame["presale_sku"] = -1
    frame["paid_day"] = day
    return frame[keep & (frame["placed_at"].to_numpy() < world.end)]


def _campaign_boost(world: World) -> np.ndarray:
    """Factor of a day's demand by the campaigns that run: bad ones add next to nothing."""
    return 1 + world.running(0.06 * (world.campaigns["lift"].to_numpy() - 1)).sum(axis=1)


def seconds_of_day(world: World, silo: str, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Second of the local day."""
    tables = [_STORE_HOURS, _STORE_HOURS] if silo == "stores" else [_HOURS, _SALE_HOURS]
    peak = world.calendar["demand"].to_numpy()[day] > 2.2
    draw = rng.random(len(day))
    hours = [np.searchsorted(np.cumsum(table) / table.sum(), draw, side="right") for table in tables]
    within = rng.integers(0, 3600, len(day))
    return np.minimum(np.where(peak, hours[1], hours[0]), 23) * 3600 + within


def _buyers(world: World, silo: str, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Who orders: an identity that exists by then, of a person who has not left; -1 where nobody was found.

    People who like bargains wait for the great sales, and experiments change how often their people buy.
    """
    rows = np.flatnonzero(world.identities["kind"] == _POOLS[silo])
    created = world.identities["created_day"].to_numpy()[rows]
    persons = world.identities["person"].to_numpy()[rows]
    weight = np.cumsum(world.persons["activity"].to_numpy()[persons])
    last = world.persons["last_day"].to_numpy()[persons]
    sensitive = world.persons["price_sensitivity"].to_numpy()[persons]
    effects = _effects(world, rows) if silo == "storefront" else []
    sale = world.calendar["promotion"].to_numpy() != ""
    chosen = np.full(len(day), -1)
    if silo == "stores":
        chosen[rng.random(len(day)) < 0.38] = -2  # no card shown
    for _ in range(12):
        open_ = np.flatnonzero(chosen == -1)
        there = np.searchsorted(created, day[open_], side="left")
        fresh = np.searchsorted(created, day[open_] - 20, side="left")
        draw = rng.random(len(open_))
        pick = np.searchsorted(weight, draw * weight[np.maximum(there - 1, 0)], side="right")
        # Some buy soon after they registered.
        newly = (rng.random(len(open_)) < 0.14) & (fresh < there)
        pick = np.where(newly, fresh + (draw * (there - fresh)).astype(int), pick)
        pick = np.minimum(pick, np.maximum(there - 1, 0))
        accept = np.where(sale[day[open_]], 0.5 + 0.5 * sensitive[pick], 1 - 0.4 * sensitive[pick])
        for start, end, factor in effects:
            accept = accept * np.where((day[open_] >= start) & (day[open_] <= end), factor[pick], 1.0)
        good = (there > 0) & (last[pick] > day[open_]) & (rng.random(len(open_)) < accept)
        chosen[open_[good]] = pick[good]
    return np.where(chosen >= 0, rows[np.maximum(chosen, 0)], np.where(chosen == -2, -1, -2))


def _effects(world: World, accounts: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """For each experiment with an effect: first and last day, and how readily each account buys (at most 1)."""
    effects = []
    place = np.full(len(world.identities), -1)
    place[accounts] = np.arange(len(accounts))
    names = ("start_day", "end_day", "effect")
    planted = zip(*(world.experiments[name].tolist() for name in names), strict=True)
    for row, (start, end, effect) in enumerate(planted):
        ours = world.assignments[(world.assignments["experiment"] == row) & world.assignments["is_treated"]]
        factor = np.full(len(accounts), 1 / (1 + effect))
        factor[place[ours["identity"].to_numpy()]] = 1.0
        if effect > 0:
            effects.append((start, end + 30, factor))
    return effects


def by_day(weights: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each row one of the things, by the weights of its day.

    Args:
        weights: shape (days, things).
        day: the day of each row.

    Returns:
        The thing of each row, -1 where its day has none.
    """
    cumulative = np.cumsum(weights, axis=1)
    total = cumulative[:, -1]
    # Each day's shares lie between the day's number and the next, so that one search serves all days.
    places = (np.arange(len(weights))[:, None] + cumulative / np.maximum(total, 1e-12)[:, None]).ravel()
    found = np.searchsorted(places, day + rng.random(len(day)), side="right") - day * weights.shape[1]
    return np.where(total[day] > 0, np.minimum(found, weights.shape[1] - 1), -1)


def _campaigns(world: World, day: np.ndarray, person: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The campaign under which an order is made, -1 for none."""
    campaigns = world.campaigns
    great = campaigns["campaign_type"].isin(["618", "double_11"])
    weight = np.where(great, 3.0, 1.0) * campaigns["lift"].to_numpy() ** 2
    running = world.running(weight)
    chance = np.minimum(0.1 + 0.05 * running.sum(axis=1), 0.6)[day]
    chance *= 0.6 + 0.9 * world.persons["price_sensitivity"].to_numpy()[np.maximum(person, 0)]
    return np.where(rng.random(len(day)) < chance, by_day(running, day, rng), -1)


def _stores(world: World, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The open store of each receipt."""
    stores = world.stores
    size = world.rng("store size").lognormal(0, 0.5, len(stores))
    closed = np.where(stores["closed_day"] < 0, world.days, stores["closed_day"])
    days = np.arange(world.days)[:, None]
    is_open = (stores["opened_day"].to_numpy() <= days) & (days <= closed)
    return by_day(is_open * size, day, rng)


def _presales(world: World) -> pd.DataFrame:
    """Reservations of SKUs in the 14 days before they are launched: orders with a deposit."""
    rng = world.rng("presales")
    skus = world.skus
    chosen = np.flatnonzero(skus["is_presale"] & (skus["launched_day"] > 1) & (skus["launched_day"] < world.days + 14))
    size = np.maximum(3, rng.poisson(world.scale.orders * 0.015 / max(1, len(chosen)), len(chosen)))
    sku = np.repeat(chosen, size)
    launch = skus["launched_day"].to_numpy()[sku]
    day = launch - 1 - np.minimum(rng.exponential(4, len(sku)).astype(int), 13)
    inside = (day >= 0) & (day < world.days)
    sku, launch, day = sku[inside], launch[inside], day[inside]
    order = np.argsort(day, kind="stable")
    sku, launch, day = sku[order], launch[order], day[order]
    identity = _buyers(world, "storefront", day, rng)
    frame = pd.DataFrame({"silo": "storefront", "identity": identity, "day": day})
    frame["person"] = world.identities["person"].to_numpy()[np.maximum(identity, 0)]
    frame["placed_at"] = world.at(day, seconds_of_day(world, "storefront", day, rng))
    frame["presale_sku"] = sku
    frame["paid_day"] = launch
    frame[["live_session", "campaign", "store"]] = -1
    return frame[identity >= 0]


def _add_destination(world: World, orders: pd.DataFrame) -> None:
    """Adds region, pickup_store and warehouse."""
    rng = world.rng("destination")
    count = len(orders)
    home = world.persons["region"].to_numpy()[np.maximum(orders["person"], 0)]
    elsewhere = rng.choice(len(world.regions), count, p=world.regions["weight"])
    region = np.where(rng.random(count) < 0.07, elsewhere, home)
    points = np.flatnonzero((world.stores["store_kind"] != "pop_up").to_numpy())
    pickup = points[rng.integers(0, len(points), count)]
    takes = (orders["silo"] == "storefront").to_numpy() & (orders["presale_sku"] < 0).to_numpy()
    takes &= rng.random(count) < 0.06
    orders["pickup_store"] = np.where(takes, pickup, -1)
    store = np.where(takes, pickup, orders["store"])
    orders["region"] = np.where(store >= 0, world.stores["region"].to_numpy()[np.maximum(store, 0)], region)
    orders["warehouse"] = world.nearest_warehouse[orders["region"]]


def _add_channel(world: World, orders: pd.DataFrame) -> None:
    """Adds channel, platform and, in the storefront, the device."""
    rng = world.rng("channels")
    count = len(orders)
    silo = orders["silo"].to_numpy()
    drawn = CHANNELS[rng.choice(len(CHANNELS), count, p=CHANNEL_SHARES)]
    campaign = orders["campaign"].to_numpy()
    by_campaign = (campaign >= 0) & (rng.random(count) < 0.6)
    channel = np.where(by_campaign, world.campaigns["channel"].to_numpy()[np.maximum(campaign, 0)], drawn)
    platform = world.identities["platform"].to_numpy()[np.maximum(orders["identity"], 0)]
    kind = world.stores["store_kind"].to_numpy()[np.maximum(orders["store"], 0)]
    choices = [channel, platform, np.full(count, "douyin", object), kind]
    orders["channel"] = np.select([silo == name for name in SHARES], choices, "")
    orders["platform"] = np.select([silo == "marketplace", silo == "live"], [platform, "douyin"], "")
    orders["device"] = np.where(
        silo == "storefront", device_of(world, orders["identity"], orders["placed_at"], rng), -1
    )


def device_of(world: World, account: pd.Series, at: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """One of the devices that an account has by then: mostly its first."""
    owners = world.identities["account"].to_numpy()
    devices = np.flatnonzero(world.identities["kind"] == "device")
    accounts = np.maximum(account.to_numpy(), 0)
    first = devices[0] + np.searchsorted(owners[devices], accounts, side="left")
    count = devices[0] + np.searchsorted(owners[devices], accounts, side="right") - first
    draw = first + np.where(rng.random(len(first)) < 0.65, 0, (rng.random(len(first)) * count).astype(int))
    created = world.identities["created_at"].to_numpy()
    return np.where(created[draw] <= at.to_numpy(), draw, first)


def _without_broken(world: World, orders: pd.DataFrame) -> pd.DataFrame:
    """Marks the orders that the planted break of the funnel loses: `is_lost`; they stay as abandoned carts."""
    rng = world.rng("funnel break place")
    channel, kind = (str(rng.choice(names)) for names in _BREAKABLE)
    lost, day = round(float(rng.uniform(0.5, 0.6)), 2), int(world.days * rng.uniform(0.6, 0.75))
    device = world.identities["platform"].to_numpy()[np.maximum(orders["device"], 0)]
    hit = (orders["silo"] == "storefront") & (orders["channel"] == channel) & (device == kind) & (orders["day"] >= day)
    orders["is_lost"] = hit & (world.rng("funnel break").random(len(orders)) < lost)
    world.truth["funnel_breaks"] = pd.DataFrame(
        {
            "channel": [channel],
            "device_type": [kind],
            "step": ["checkout"],
            "first_date": [world.date_of(day).astype("datetime64[s]")],
            "lost_share": [lost],
        }
    )
    return orders
