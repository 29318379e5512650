"""Growth points: a point a yuan paid, taken back when it is refunded, and some for clicks and shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator.columns import coded
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.world import World

_CLAIMED_RATE = 0.8  # of the orders outside stores, those whose buyer claims the points
_CLICK_POINTS, _SHARE_POINTS = 5, 20
_SHARES_A_MEMBER_AND_YEAR = 1.2


@dataclass(frozen=True)
class Ledger:
    """Entries of the period.

    Attributes:
        cards: rows of world.identities with the member cards; a card is called by its position here.
        entries: card, points, source, source_ref, earned_at; by earned_at.
    """

    cards: np.ndarray
    entries: pd.DataFrame


def earn(world: World, sold: Orders, sent: pd.DataFrame) -> Ledger:
    """What members earned.

    Args:
        sent: touches, of which clicks earn points.
    """
    identities = world.identities
    cards = np.flatnonzero(identities["kind"] == "member_card")
    of_person = np.full(len(world.persons), -1)
    of_person[identities["person"].to_numpy()[cards]] = np.arange(len(cards))
    joined = identities["created_at"].to_numpy()[cards].astype("datetime64[s]")
    bought = _purchases(world, sold, of_person)
    clicked = _clicks(world, sent, of_person)
    shared = _shares(world, cards, joined)
    entries = pd.concat([bought, clicked, shared], ignore_index=True)
    at = entries["earned_at"].to_numpy().astype("datetime64[s]")
    real = (at < world.end) & (at >= joined[entries["card"].to_numpy()]) & (at >= world.midnight(0))
    entries = entries[real].sort_values("earned_at", kind="stable", ignore_index=True)
    return Ledger(cards, entries)


def _purchases(world: World, sold: Orders, of_person: np.ndarray) -> pd.DataFrame:
    """Points of paid orders, and their refunds. In stores only a shown card earns."""
    rng = world.rng("points")
    orders = sold.orders
    person = orders["person"].to_numpy()
    card = np.where(person >= 0, of_person[person], -1)
    store = (orders["silo"] == "stores").to_numpy()
    paid = orders["paid_at"].to_numpy().astype("datetime64[s]")
    shows = np.where(store, orders["identity"].to_numpy() >= 0, rng.random(len(orders)) < _CLAIMED_RATE)
    points = orders["payable_amount"].to_numpy() // 100
    earns = (card >= 0) & shows & ~np.isnat(paid) & (points > 0)
    joined = np.zeros(len(orders), bool)
    cards = np.flatnonzero(world.identities["kind"] == "member_card")
    since = world.identities["created_at"].to_numpy()[cards].astype("datetime64[s]")
    joined[earns] = since[card[earns]] <= paid[earns]
    earns &= joined
    ids = orders["order_id"].to_numpy()
    gained = pd.DataFrame(
        {"card": card[earns], "points": points[earns], "source": "purchase", "source_ref": ids[earns]}
    ).assign(earned_at=paid[earns])
    refunds = sold.refunds
    order = refunds["order"].to_numpy()
    back = refunds["refund_amount"].to_numpy() // 100
    lost = earns[order] & (back > 0)
    taken = pd.DataFrame(
        {"card": card[order[lost]], "points": -back[lost], "source": "purchase", "source_ref": ids[order[lost]]}
    ).assign(earned_at=refunds["refunded_at"].to_numpy()[lost].astype("datetime64[s]"))
    return pd.concat([gained, taken], ignore_index=True)


def _clicks(world: World, sent: pd.DataFrame, of_person: np.ndarray) -> pd.DataFrame:
    """Points for clicks of contacts who are members."""
    contact = sent["contact"].to_numpy()
    clicked = sent["clicked_at"].to_numpy().astype("datetime64[s]")
    contacts = np.flatnonzero(world.identities["kind"] == "contact")
    person = world.identities["person"].to_numpy()[contacts]
    card = np.where(contact >= 0, of_person[person[contact]], -1)
    row = np.flatnonzero((card >= 0) & ~np.isnat(clicked))
    message = sent["message"].to_numpy()[row]
    reference = np.where(message >= 0, np.asarray(coded("MS", message + 1)), np.asarray(coded("TO", row + 1, 9)))
    frame = pd.DataFrame({"card": card[row], "points": _CLICK_POINTS, "source": "interaction", "source_ref": reference})
    return frame.assign(earned_at=clicked[row])


def _shares(world: World, cards: np.ndarray, joined: np.ndarray) -> pd.DataFrame:
    """Points for shares, which name nothing."""
    rng = world.rng("shares")
    count = int(len(cards) * _SHARES_A_MEMBER_AND_YEAR * world.days / 365)
    card = rng.integers(0, len(cards), count)
    start = np.maximum(world.day_of(joined[card]) + 1, 0)
    day = start + (rng.random(count) * np.maximum(world.days - start, 0)).astype(int)
    frame = pd.DataFrame({"card": card, "points": _SHARE_POINTS, "source": "share", "source_ref": None})
    return frame.assign(earned_at=world.at(day, rng.integers(8 * 3600, 23 * 3600, count)))
