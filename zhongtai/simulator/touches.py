"""Messages to single people, and whether they were opened and clicked; some led to an order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.contacts import CONTENT_TYPES, OFFER_TYPES, Contacts, Groups
from zhongtai.simulator.demand import by_day
from zhongtai.simulator.world import World

_NEVER = np.datetime64("NaT", "s")
CHANNELS = np.array(["wecom", "group", "mini_program", "sms"], object)
_SHARES = [0.34, 0.38, 0.16, 0.12]
_TOUCHES_AN_ORDER = 1.4
# Chance of delivery, of opening once delivered and of a click once opened, by channel; offers lift clicks.
_DELIVERED, _OPENED, _CLICKED = (0.97, 1.0, 0.95, 0.96), (0.52, 0.3, 0.24, 0.16), (0.14, 0.1, 0.12, 0.08)
_OFFER_LIFT = (1.0, 1.9, 1.5, 1.3)  # none first; which offer has which lift is drawn
_SPREAD = 0.15  # how far from these a seed may plant opening and clicks
_CONTENT_EMPTY_RATE = 0.2
_CAMPAIGN_RATE = 0.4


def touch(world: World, orders: pd.DataFrame, contacts: Contacts, groups: Groups) -> pd.DataFrame:
    """All touches of the period.

    Returns:
        By sent_at: channel, contact (-1 for SMS), account (row of world.identities whose phone got an SMS, -1),
        message (row of groups.messages, -1), group, campaign, content_type, offer_type, sent_at, delivered_at,
        opened_at, clicked_at (instants, NaT where not).
    """
    count = int(world.scale.orders * _TOUCHES_AN_ORDER)
    channel = world.rng("touch channels").choice(4, count, p=_SHARES)
    personal = _personal(world, channel[channel != 1], contacts)
    in_groups = _in_groups(world, int((channel == 1).sum()), groups)
    sent = pd.concat([personal, in_groups], ignore_index=True)
    sent = sent[(sent["sent_at"] >= world.midnight(0)) & (sent["sent_at"] < world.end)].reset_index(drop=True)
    _answer(world, sent)
    led = _led_to_orders(world, orders, contacts, groups)
    together = pd.concat([led, sent], ignore_index=True)
    # Nobody gets the same message of a group twice.
    twice = together.duplicated(["message", "contact"]) & (together["message"] >= 0)
    together = together[~twice].sort_values("sent_at", kind="stable", ignore_index=True)
    for step in ("delivered_at", "opened_at", "clicked_at"):
        happened = together[step].to_numpy().astype("datetime64[s]")
        together[step] = np.where(happened < world.end, happened, _NEVER)
    together["content_type"] = together["content_type"].astype(object)
    empty = world.rng("touch contents").random(len(together)) < _CONTENT_EMPTY_RATE
    together.loc[empty & (together["message"] < 0).to_numpy(), "content_type"] = None
    return together


def _planted_rates(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chances of delivery and of opening by channel, and of a click by channel and offer; kept as truth."""
    rng = world.rng("touch rates")
    delivered = np.array(_DELIVERED)
    opened, clicked = (
        np.round(np.array(rates) * rng.uniform(1 - _SPREAD, 1 + _SPREAD, len(rates)), 3)
        for rates in (_OPENED, _CLICKED)
    )
    clicked = np.outer(clicked, [_OFFER_LIFT[0], *rng.permutation(_OFFER_LIFT[1:])])
    rates = [
        (channel, offer, delivered[c], opened[c], clicked[c, o])
        for c, channel in enumerate(CHANNELS)
        for o, offer in enumerate(OFFER_TYPES)
    ]
    names = ["touch_channel", "offer_type", "delivered_rate", "opened_rate", "clicked_rate"]
    world.truth["touch_rates"] = pd.DataFrame(rates, columns=names)
    return delivered, opened, clicked


def _personal(world: World, channel: np.ndarray, contacts: Contacts) -> pd.DataFrame:
    """Messages to one contact, or to the phone of one account; many go out on Wednesdays."""
    rng = world.rng("personal touches")
    count = len(channel)
    contact = rng.integers(0, max(1, len(contacts.identity)), count)
    accounts = np.flatnonzero((world.identities["kind"] == "account") & world.identities["phone"].notna())
    account = accounts[rng.integers(0, len(accounts), count)]
    sms = channel == 3
    account_from = world.identities["created_day"].to_numpy()[account]
    begin = np.where(sms, account_from, world.day_of(contacts.added_at[contact]))
    begin = np.maximum(begin + 1, 0)
    day = begin + (rng.random(count) * np.maximum(world.days - begin, 0)).astype(int)
    weekday = world.calendar["weekday"].to_numpy()[np.minimum(day, world.days - 1)]
    moved = day + (2 - weekday)
    to_wednesday = (rng.random(count) < 0.25) & (moved >= begin) & (moved < world.days)
    day = np.where(to_wednesday, moved, day)
    at = world.at(day, rng.integers(9 * 3600, 21 * 3600, count))
    good = (day < world.days) & (sms | contacts.there(contact, at))
    frame = pd.DataFrame(
        {
            "channel": CHANNELS[channel],
            "contact": np.where(sms, -1, contact),
            "account": np.where(sms, account, -1),
            "message": -1,
            "group": -1,
            "campaign": _campaign(world, np.minimum(day, world.days - 1), CHANNELS[channel], rng),
            "sent_at": at,
        }
    )
    promotes = frame["campaign"].to_numpy() >= 0
    weekday = world.calendar["weekday"].to_numpy()[np.minimum(day, world.days - 1)]
    plain = rng.choice(4, count, p=[0.5, 0.25, 0.15, 0.1])
    offer = np.where(promotes, rng.choice(4, count, p=[0.1, 0.5, 0.25, 0.15]), plain)
    offer = np.where((weekday == 2) & (rng.random(count) < 0.5), 3, offer)
    frame["offer_type"] = OFFER_TYPES[offer]
    content = np.where(offer > 0, rng.choice(4, count, p=[0.1, 0.15, 0.05, 0.7]), rng.choice(4, count))
    frame["content_type"] = CONTENT_TYPES[content]
    return frame[good]


def _campaign(world: World, day: np.ndarray, channel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A campaign of the channel that runs on the day, or none."""
    campaigns = world.campaigns
    days = np.arange(world.days)[:, None]
    runs = (campaigns["start_day"].to_numpy() <= days) & (days <= campaigns["end_day"].to_numpy())
    chosen = np.full(len(day), -1)
    for name in CHANNELS:
        mine = np.flatnonzero((channel == name) & (rng.random(len(day)) < _CAMPAIGN_RATE))
        chosen[mine] = by_day(runs * (campaigns["channel"] == name).to_numpy(), day[mine], rng)
    return chosen


def _in_groups(world: World, count: int, groups: Groups) -> pd.DataFrame:
    """Messages of groups as single members get them."""
    rng = world.rng("group touches")
    messages = groups.messages
    if not len(groups.group) or not len(messages):
        return pd.DataFrame()
    member = rng.integers(0, len(groups.group), count)
    posted = messages["posted_at"].to_numpy().astype("datetime64[s]").astype("int64")
    keys = messages["group"].to_numpy() * (1 << 40) + posted
    group = groups.group[member]
    left = groups.left_at[member]
    until = np.where(np.isnat(left), world.end, left).astype("int64")
    low = np.searchsorted(keys, group * (1 << 40) + groups.joined_at[member].astype("int64"))
    high = np.searchsorted(keys, group * (1 << 40) + until)
    message = low + (rng.random(count) * (high - low)).astype(int)
    good = high > low
    return _of_messages(world, message[good], groups.contact[member[good]], messages, rng)


def _of_messages(
    world: World, message: np.ndarray, contact: np.ndarray, messages: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    chosen = messages.iloc[message]
    sent = chosen["posted_at"].to_numpy().astype("datetime64[s]")
    channel = np.full(len(message), "group", object)
    campaign = _campaign(world, world.day_of(sent), channel, rng)
    return pd.DataFrame(
        {
            "channel": channel,
            "contact": contact,
            "account": -1,
            "message": message,
            "group": chosen["group"].to_numpy(),
            "campaign": np.where(chosen["offer_type"].to_numpy() == "none", -1, campaign),
            "sent_at": sent,
            "offer_type": chosen["offer_type"].to_numpy(),
            "content_type": chosen["content_type"].to_numpy(),
        }
    )


def _answer(world: World, sent: pd.DataFrame) -> None:
    """Adds delivered_at, opened_at and clicked_at by the planted rates."""
    rng = world.rng("touch answers")
    count = len(sent)
    channel = pd.Categorical(sent["channel"], categories=list(CHANNELS)).codes
    offer = pd.Categorical(sent["offer_type"], categories=list(OFFER_TYPES)).codes
    rates = _planted_rates(world)
    delivered = rng.random(count) < rates[0][channel]
    opened = delivered & (rng.random(count) < rates[1][channel])
    clicked = opened & (rng.random(count) < rates[2][channel, offer])
    arrives = sent["sent_at"].to_numpy().astype("datetime64[s]") + _seconds(rng.exponential(20, count) + 1)
    opens = arrives + _seconds(rng.exponential(4 * 3600, count) + 5)
    clicks = opens + _seconds(rng.exponential(40, count) + 3)
    for name, happens, at in (
        ("delivered_at", delivered, arrives),
        ("opened_at", opened, opens),
        ("clicked_at", clicked, clicks),
    ):
        sent[name] = np.where(happens, at, _NEVER)


def _led_to_orders(world: World, orders: pd.DataFrame, contacts: Contacts, groups: Groups) -> pd.DataFrame:
    """The clicks behind the orders of private channels, minutes to three days before them."""
    rng = world.rng("touches of orders")
    mine = orders[(orders["silo"] == "storefront") & orders["channel"].isin(CHANNELS)]
    channel = mine["channel"].to_numpy().astype(object)
    count = len(mine)
    placed = mine["placed_at"].to_numpy().astype("datetime64[s]")
    before = np.where(rng.random(count) < 0.75, rng.uniform(300, 3_000, count), rng.uniform(3_000, 68 * 3600, count))
    clicked = placed - _seconds(before)
    opened = clicked - _seconds(rng.exponential(40, count) + 3)
    delivered = opened - _seconds(rng.exponential(2 * 3600, count) + 5)
    contact = contacts.of_person[mine["person"].to_numpy()]
    sms = channel == "sms"
    account = mine["identity"].to_numpy()
    reachable = np.where(sms, world.identities["phone"].notna().to_numpy()[account], False)
    reachable |= ~sms & contacts.there(contact, delivered - _seconds(np.full(count, 60.0)))
    campaign = mine["campaign"].to_numpy()
    own = (campaign >= 0) & (world.campaigns["channel"].to_numpy()[np.maximum(campaign, 0)] == channel)
    offer = np.where(own, rng.choice([1, 2, 3], count, p=[0.5, 0.3, 0.2]), rng.choice(4, count, p=[0.3, 0.4, 0.2, 0.1]))
    frame = pd.DataFrame(
        {
            "channel": channel,
            "contact": np.where(sms, -1, contact),
            "account": np.where(sms, account, -1),
            "message": -1,
            "group": np.where(channel == "group", _first_group(contact, opened, groups), -1),
            "campaign": np.where(own, campaign, -1),
            "sent_at": delivered - _seconds(rng.uniform(1, 40, count)),
            "offer_type": OFFER_TYPES[offer],
            "content_type": CONTENT_TYPES[np.where(offer > 0, 3, rng.integers(0, 3, count))],
            "delivered_at": delivered,
            "opened_at": opened,
            "clicked_at": clicked,
        }
    )
    return frame[reachable & (frame["sent_at"] >= world.midnight(0)).to_numpy()]


def _first_group(contact: np.ndarray, at: np.ndarray, groups: Groups) -> np.ndarray:
    """A group that each contact is in at the time, -1 where none is found."""
    if not len(groups.contact):
        return np.full(len(contact), -1)
    place = np.minimum(np.searchsorted(groups.contact, contact), len(groups.contact) - 1)
    left = groups.left_at[place]
    inside = (groups.contact[place] == contact) & (groups.joined_at[place] <= at) & (np.isnat(left) | (left > at))
    return np.where(inside, groups.group[place], -1)


def _seconds(seconds: np.ndarray) -> np.ndarray:
    return np.asarray(seconds).astype("int64").astype("timedelta64[s]")
