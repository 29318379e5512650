"""What follows from orders in the storefront: coupons, reviews, benefits and service tickets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator import demand
from zhongtai.simulator.selling import Orders, until
from zhongtai.simulator.world import World

_NEVER = np.datetime64("NaT", "s")
_GOOD = ["质量很好", "很喜欢", "包装精美", "物流很快", "性价比高", "做工精致", "颜色好看", "会回购"]
_PLAIN = ["还可以", "一般般", "和描述差不多", "中规中矩", "用着再看"]
_BAD = ["质量太差", "开裂了", "掉色严重", "有异味", "客服态度差", "破损", "不值这个价", "用两天就坏了"]
_TAILS = ["，推荐给朋友", "", "，希望改进", "，家人也说不错", "，第二次买了"]
_BAD_TAILS = ["，不会再买", "，要求退货", "", "，太失望了"]


@dataclass
class Activities:
    """Rows of the storefront besides orders.

    Attributes:
        coupons: identity, campaign, channel, scope_kind, scope_id, discount_amount, threshold_amount, issued_at,
            expires_at, redeemed_at, order (-1), store (where a store's coupon was shown, -1), shown_at.
        reviews: line (row of Orders.lines), rating, text, reviewed_at; of every silo that has reviews.
        benefits: order, benefit, value_amount.
        tickets: identity, order (-1), topic, opened_at, closed_at, satisfaction.
    """

    coupons: pd.DataFrame
    reviews: pd.DataFrame
    benefits: pd.DataFrame
    tickets: pd.DataFrame


def add_activities(world: World, sold: Orders) -> Activities:
    """Makes what follows from the orders, and gives orders the coupon that they used (column `coupon`)."""
    return Activities(_coupons(world, sold), _reviews(world, sold), _benefits(world, sold), _tickets(world, sold))


def _coupons(world: World, sold: Orders) -> pd.DataFrame:
    """Coupons that orders used, such as were only claimed, and stores' coupons that led to a visit."""
    rng = world.rng("coupons")
    orders = sold.orders
    campaign = orders["campaign"].to_numpy()
    mechanics = world.campaigns["mechanics"].to_numpy()[np.maximum(campaign, 0)]
    storefront = (orders["silo"] == "storefront").to_numpy()
    uses = storefront & (orders["benefit_amount"] > 0).to_numpy() & ((campaign < 0) | (mechanics == "coupon"))
    rows = np.flatnonzero(uses)
    placed = orders["placed_at"].to_numpy().astype("datetime64[s]")
    used = _issued(world, orders["identity"].to_numpy()[rows], placed[rows], campaign[rows], rng)
    used["discount_amount"] = orders["benefit_amount"].to_numpy()[rows]
    used["redeemed_at"], used["order"] = placed[rows], rows
    accounts = np.flatnonzero(world.identities["kind"] == "account")
    claimed = accounts[rng.integers(0, len(accounts), 2 * len(rows) + 20)]
    when = world.at(rng.integers(0, world.days, len(claimed)), rng.integers(30_000, 82_000, len(claimed)))
    old_enough = world.identities["created_at"].to_numpy()[claimed] < when
    idle = _issued(world, claimed[old_enough], when[old_enough], np.full(int(old_enough.sum()), -1), rng)
    idle["discount_amount"] = 1_000
    parts = [used, idle, _store_coupons(world, sold, rng)]
    coupons = pd.DataFrame({name: np.concatenate([part[name].to_numpy() for part in parts]) for name in used.columns})
    coupons = coupons.sort_values("issued_at", kind="stable", ignore_index=True)
    of_order = np.full(len(orders), -1)
    redeemed = np.flatnonzero(coupons["order"] >= 0)
    of_order[coupons["order"].to_numpy()[redeemed]] = redeemed
    orders["coupon"] = of_order
    return coupons


def _issued(
    world: World, identity: np.ndarray, before: np.ndarray, campaign: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Coupons claimed within ten days before a moment, once the account was there."""
    count = len(identity)
    made = world.identities["created_at"].to_numpy().astype("datetime64[s]")[identity]
    issued = before - (600 + rng.exponential(3 * 86_400, count)).astype("timedelta64[s]")
    issued = np.minimum(np.maximum(np.maximum(issued, made), world.midnight(0)), before - np.timedelta64(1, "s"))
    category = np.flatnonzero(world.categories["category_level"] == 1)
    kind = np.where(rng.random(count) < 0.25, "category", "all")
    scope = world.categories["category_id"].to_numpy()[category[rng.integers(0, len(category), count)]]
    channel = demand.CHANNELS[rng.choice(len(demand.CHANNELS), count, p=demand.CHANNEL_SHARES)]
    limit = world.campaigns["threshold_amount"].to_numpy()[np.maximum(campaign, 0)].astype(float)
    return pd.DataFrame(
        {
            "identity": identity,
            "campaign": campaign,
            "channel": channel,
            "scope_kind": np.where(campaign < 0, kind, "all"),
            "scope_id": np.where((campaign < 0) & (kind == "category"), scope, None),
            "threshold_amount": np.where(campaign < 0, 9_900, np.where(limit > 0, limit, np.nan)),
            "issued_at": issued,
            "expires_at": np.where(rng.random(count) < 0.1, _NEVER, issued + np.timedelta64(30, "D")),
            "redeemed_at": _NEVER,
            "order": -1,
            "store": -1,
            "shown_at": _NEVER,
        }
    )


def _store_coupons(world: World, sold: Orders, rng: np.random.Generator) -> pd.DataFrame:
    """Coupons good in a store: claimed online, some shown there, and for a part an online order follows."""
    orders = sold.orders
    storefront = np.flatnonzero((orders["silo"] == "storefront").to_numpy() & (orders["day"] > 12).to_numpy())
    rows = np.sort(storefront[rng.random(len(storefront)) < 0.08])
    leads = rng.random(len(rows)) < 0.55
    placed = orders["placed_at"].to_numpy().astype("datetime64[s]")[rows]
    # Without a visit, the claim lies somewhere else in time.
    moment = np.where(leads, placed - (rng.integers(1, 12 * 24, len(rows)) * 3600).astype("m8[s]"), placed)
    frame = _issued(world, orders["identity"].to_numpy()[rows], moment, np.full(len(rows), -1), rng)
    store = rng.integers(0, len(world.stores), len(rows))
    opened = world.stores["opened_day"].to_numpy()[store]
    closed = world.stores["closed_day"].to_numpy()[store]
    day = world.day_of(moment)
    is_open = (opened <= day) & ((closed < 0) | (day <= closed))
    hour = ((moment - world.midnight(day)).astype(np.int64) // 3600).clip(0, 23)
    shown = (leads | (rng.random(len(rows)) < 0.3)) & is_open & (hour >= 10) & (hour <= 21)
    frame["discount_amount"] = 2_000
    frame["scope_kind"], frame["scope_id"] = "store", world.stores["store_id"].to_numpy()[store]
    frame["channel"] = np.where(rng.random(len(rows)) < 0.5, "mini_program", "wecom")
    frame["store"] = np.where(shown, store, -1)
    frame["shown_at"] = np.where(shown, moment, _NEVER)
    return frame


def _reviews(world: World, sold: Orders) -> pd.DataFrame:
    """Reviews of delivered lines; bad SKUs get few stars, and words that say why."""
    rng = world.rng("reviews")
    orders, lines = sold.orders, sold.lines
    order = lines["order"].to_numpy()
    delivered = orders["delivered_at"].to_numpy().astype("datetime64[s]")[order]
    open_ = orders["silo"].isin(["storefront", "marketplace"]).to_numpy()[order]
    at = until(delivered + rng.integers(7_200, 12 * 86_400, len(lines)).astype("timedelta64[s]"), world.end)
    rows = np.flatnonzero(open_ & ~np.isnat(at) & (rng.random(len(lines)) < 0.2) & ~lines["is_gift"].to_numpy())
    rows = rows[np.argsort(at[rows], kind="stable")]
    bad = world.skus["is_bad"].to_numpy()[lines["sku"].to_numpy()[rows]]
    stars = np.where(
        bad,
        rng.choice(5, len(rows), p=[0.34, 0.26, 0.2, 0.12, 0.08]),
        rng.choice(5, len(rows), p=[0.02, 0.03, 0.08, 0.25, 0.62]),
    )
    pools = [
        np.array([a + "，" + b + tail for a in words for b in words if a != b for tail in tails], object)
        for words, tails in ((_BAD, _BAD_TAILS), (_PLAIN, _TAILS), (_GOOD, _TAILS))
    ]
    tone = np.select([stars <= 1, stars == 2], [0, 1], 2)
    texts = [pool[rng.integers(0, len(pool), len(rows))] for pool in pools]
    text = np.select([tone == 0, tone == 1], texts[:2], texts[2])
    text = np.where(rng.random(len(rows)) < 0.22, None, text)
    return pd.DataFrame({"line": rows, "rating": stars + 1, "text": text, "reviewed_at": at[rows]})


def _benefits(world: World, sold: Orders) -> pd.DataFrame:
    """Benefits of members in their storefront orders."""
    rng = world.rng("benefits")
    orders = sold.orders
    members = np.zeros(len(world.persons), bool)
    members[world.identities.loc[world.identities["kind"] == "member_card", "person"]] = True
    mine = (orders["silo"] == "storefront") & members[np.maximum(orders["person"], 0)] & orders["paid_at"].notna()
    rows = np.flatnonzero(mine.to_numpy() & (rng.random(len(orders)) < 0.15))
    kind = rng.choice(5, len(rows), p=[0.45, 0.3, 0.1, 0.1, 0.05])
    names = np.array(["discount", "free_shipping", "dedicated_service", "early_access", "gift_box"], object)
    value = np.array([1_500, 800, np.nan, np.nan, 3_900])[kind]
    return pd.DataFrame({"order": rows, "benefit": names[kind], "value_amount": value})


def _tickets(world: World, sold: Orders) -> pd.DataFrame:
    """Calls to customer service: about orders, quality above all where the SKU is bad, and about nothing bought."""
    rng = world.rng("tickets")
    orders, lines = sold.orders, sold.lines
    bad = np.zeros(len(orders), bool)
    bad[lines["order"].to_numpy()[world.skus["is_bad"].to_numpy()[lines["sku"]]]] = True
    storefront = (orders["silo"] == "storefront").to_numpy()
    rows = np.flatnonzero(storefront & (rng.random(len(orders)) < np.where(bad, 0.14, 0.045)))
    count = len(rows)
    opened = orders["placed_at"].to_numpy().astype("datetime64[s]")[rows]
    opened = opened + (1_800 + rng.exponential(3 * 86_400, count)).astype("timedelta64[s]")
    hours = np.where(rng.random(count) < 0.9, rng.exponential(14, count) + 0.2, 400)
    closed = until(opened + (hours * 3600).astype("timedelta64[s]"), world.end)
    topics = np.array(["delivery", "quality", "refund", "invoice", "usage", "other"], object)
    usual = rng.choice(6, count, p=[0.34, 0.1, 0.2, 0.12, 0.14, 0.1])
    topic = np.where(bad[rows] & (rng.random(count) < 0.6), 1, usual)
    stars = np.where(
        bad[rows], rng.integers(1, 4, count), rng.choice([1, 2, 3, 4, 5], count, p=[0.05, 0.07, 0.18, 0.35, 0.35])
    )
    told = ~np.isnat(closed) & (rng.random(count) < 0.6)
    frame = pd.DataFrame(
        {
            "identity": orders["identity"].to_numpy()[rows],
            "order": np.where(rng.random(count) < 0.85, rows, -1),
            "topic": topics[topic],
            "opened_at": opened,
            "closed_at": closed,
            "satisfaction": np.where(told, stars, np.nan),
        }
    )
    frame = frame[frame["opened_at"].to_numpy() < world.end]
    return frame.sort_values("opened_at", kind="stable", ignore_index=True)
