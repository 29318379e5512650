"""Visits to the storefront: who came, on which device, from where, and for what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator import demand
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.selling import Orders, session_names
from zhongtai.simulator.world import World

ORDER, ABANDONED, BROWSING = 0, 1, 2
UNKNOWN, REMEMBERED, LOGS_IN = 0, 1, 2
_BROWSED_EVENTS, _BOUGHT_EVENTS = 5.2, 9.2  # a visit's mean events without and with an order
_ANONYMOUS_RATE, _CAMPAIGN_RATE = 0.2, 0.3
_RELATIVE_RATE, _COUNTER_RATE = 0.12, 0.006
PAID_CHANNELS = ("ads", "search_engine", "xiaohongshu", "douyin")
COUNTER_DEVICE = "dv0000000000"


@dataclass
class Visitors:
    """What the choice of visitors needs, made once.

    Attributes:
        accounts: rows of world.identities, by age.
        weight: running total of how active they are.
        relative: for each account, the first device of a relative whose phone they share, -1 for none.
        running: weight of each campaign on each day, shape (days, campaigns).
        counts: browsing visits of each day.
    """

    accounts: np.ndarray
    created: np.ndarray
    last: np.ndarray
    weight: np.ndarray
    relative: np.ndarray
    running: np.ndarray
    counts: np.ndarray


def visitors(world: World, sold: Orders) -> Visitors:
    """Prepares the choice of visitors."""
    identities = world.identities
    accounts = np.flatnonzero(identities["kind"] == "account")
    persons = identities["person"].to_numpy()[accounts]
    activity = world.persons["activity"].to_numpy()[persons] ** 0.8
    devices = np.flatnonzero(identities["kind"] == "device")
    first_device = np.full(len(world.persons), -1)
    first_device[identities["person"].to_numpy()[devices][::-1]] = devices[::-1]
    family = world.persons["family"].to_numpy()[persons]
    relative = np.where(family >= 0, first_device[np.maximum(family, 0)], -1)
    running = world.running(world.campaigns["lift"].to_numpy())
    bought = int((sold.orders["silo"] == "storefront").sum())
    total = max(0, int((world.scale.events - bought * _BOUGHT_EVENTS) / _BROWSED_EVENTS))
    share = world.calendar["demand"].to_numpy() ** 0.8
    counts = world.rng("visits").multinomial(total, share / share.sum())
    last = world.persons["last_day"].to_numpy()[persons]
    created = identities["created_day"].to_numpy()[accounts]
    return Visitors(accounts, created, last, np.cumsum(activity), relative, running, counts)


def visits(world: World, sold: Orders, who: Visitors, days: range, first_number: int) -> pd.DataFrame:
    """The visits of some days.

    Args:
        first_number: how many browsing visits there were before.

    Returns:
        kind, identity (account, -1), day, at (the order's time, or the start), channel, campaign, device (row of
        world.identities, -1 a stranger's or the counter's), device_id, device_type, state (of the login), session_id,
        order, sku (of an abandoned cart), paid_click.
    """
    rng = world.rng("visits", days.start)
    orders = sold.orders
    at = orders["day"].to_numpy()
    mine = np.flatnonzero((orders["silo"] == "storefront").to_numpy() & (at >= days.start) & (at < days.stop))
    bought = orders.iloc[mine][["identity", "day", "channel", "campaign", "device", "session_id"]].copy()
    bought["at"], bought["kind"], bought["order"] = orders["placed_at"].to_numpy()[mine], ORDER, mine
    browsing = _browsing(world, who, days, rng)
    left = sold.abandoned[(sold.abandoned["day"] >= days.start) & (sold.abandoned["day"] < days.stop)]
    left = left.rename(columns={"placed_at": "at"}).assign(kind=ABANDONED, campaign=-1)
    others = pd.concat([left, browsing], ignore_index=True)
    others["session_id"] = session_names((first_number + np.arange(len(others))) * 2 + 1)
    together = pd.concat([bought, others], ignore_index=True)
    for column in ("order", "sku"):
        together[column] = together[column].fillna(-1).astype(np.int64)
    _add_devices(world, who, together, rng)
    own = world.campaigns["channel"].to_numpy()[np.maximum(together["campaign"], 0)]
    from_campaign = (together["campaign"] >= 0) & (own == together["channel"])
    together["campaign"] = np.where(from_campaign, together["campaign"], -1)
    together["paid_click"] = from_campaign & together["channel"].isin(PAID_CHANNELS)
    return together


def _browsing(world: World, who: Visitors, days: range, rng: np.random.Generator) -> pd.DataFrame:
    """Visits without an order; a fifth are of people who have no account."""
    day = np.repeat(np.arange(days.start, days.stop), who.counts[days.start : days.stop])
    count = len(day)
    there = np.searchsorted(who.created, day, side="right")
    draw = rng.random(count) * who.weight[np.maximum(there - 1, 0)]
    account = np.minimum(np.searchsorted(who.weight, draw, side="right"), np.maximum(there - 1, 0))
    known = (there > 0) & (who.last[account] > day) & (rng.random(count) >= _ANONYMOUS_RATE)
    campaign = np.where(rng.random(count) < _CAMPAIGN_RATE, demand.by_day(who.running, day, rng), -1)
    drawn = demand.CHANNELS[rng.choice(len(demand.CHANNELS), count, p=demand.CHANNEL_SHARES)]
    own = world.campaigns["channel"].to_numpy()[np.maximum(campaign, 0)]
    frame = pd.DataFrame({"identity": np.where(known, who.accounts[account], -1), "day": day})
    frame["at"] = world.at(day, demand.seconds_of_day(world, "storefront", day, rng))
    frame["channel"] = np.where(campaign >= 0, own, drawn)
    frame["campaign"] = campaign
    # Nobody visits before the account is made: the visit of that day comes after it.
    made = world.identities["created_at"].to_numpy()[np.maximum(frame["identity"], 0)]
    frame["at"] = np.where(known, np.maximum(frame["at"].to_numpy(), made), frame["at"].to_numpy())
    frame["device"] = np.where(known, demand.device_of(world, frame["identity"], frame["at"], rng), -1)
    frame["kind"] = BROWSING
    return frame


def _add_devices(world: World, who: Visitors, visits: pd.DataFrame, rng: np.random.Generator) -> None:
    """Adds device_id, device_type and state; a few use a relative's device or the tablet of a counter."""
    count = len(visits)
    device = visits["device"].to_numpy()
    identity = visits["identity"].to_numpy()
    relative = np.where(identity >= 0, who.relative[np.maximum(identity, 0) - who.accounts[0]], -1)
    created = world.identities["created_at"].to_numpy()
    shares = (relative >= 0) & (rng.random(count) < _RELATIVE_RATE)
    shares &= created[np.maximum(relative, 0)] <= visits["at"].to_numpy()
    device = np.where(shares, relative, device)
    stranger = rng.integers(1, max(2, world.scale.users), count) * 13 + 7
    ids = pick(world.identities["source_id"].to_numpy(), device).to_numpy(zero_copy_only=False)
    ids = np.where(device >= 0, ids, np.asarray(coded("dx", stranger, 10)))
    counter = (identity >= 0) & (visits["kind"] == BROWSING) & (rng.random(count) < _COUNTER_RATE)
    visits["device_id"] = np.where(counter, COUNTER_DEVICE, ids)
    kinds = np.array(["ios", "android", "web", "mini_program"], object)[stranger % 4]
    own = world.identities["platform"].to_numpy()[np.maximum(device, 0)]
    visits["device"] = np.where(counter, -1, device)
    visits["device_type"] = np.where(counter, "android", np.where(device >= 0, own, kinds))
    draw = rng.random(count)
    browsing = np.select([draw < 0.45, draw < 0.58], [REMEMBERED, LOGS_IN], UNKNOWN)
    buying = np.where(draw < 0.65, REMEMBERED, LOGS_IN)
    state = np.where(visits["kind"] == BROWSING, browsing, buying)
    state = np.where(counter, LOGS_IN, state)
    visits["state"] = np.where(identity >= 0, state, UNKNOWN)
