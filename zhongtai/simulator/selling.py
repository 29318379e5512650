"""Orders of all silos: what people wanted, what they got and paid, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from zhongtai.simulator import baskets, demand
from zhongtai.simulator.columns import coded
from zhongtai.simulator.supply import Fulfilment, fulfil
from zhongtai.simulator.world import World

_NEVER = np.datetime64("NaT", "s")
_UNPAID_RATE, _CANCELLED_RATE = 0.03, 0.04
_REASONS = np.array(["不喜欢", "质量问题", "与描述不符", "尺寸不合适", "发错货", "物流太慢", None], object)
_REASON_SHARES = {False: [0.3, 0.1, 0.15, 0.15, 0.05, 0.1, 0.15], True: [0.05, 0.5, 0.22, 0.05, 0.03, 0.03, 0.12]}
# Parts of the names of sessions; a prime number of them, so that every index gives another name.
_SESSION_STEP, _SESSION_NAMES = 6_700_417, 99_999_999_977


@dataclass
class Orders:
    """What was sold.

    Attributes:
        orders: silo (storefront, marketplace, live, stores), order_id, identity (row of world.identities that bought;
            -1 a store customer without card), person (-1 unknown), day (of placed_at), channel (a seed channel),
            platform (tmall, jd, douyin or ''), placed_at, paid_at, cancelled_at (instants, NaT), session_id (None
            outside the storefront), device (row of world.identities, storefront), campaign, coupon (number of its
            coupon, -1), live_session, store (of stores), pickup_store, region (destination), warehouse, order_type
            (normal, presale, flash), shipping_amount, payable_amount (goods and shipping), benefit_amount (of a
            campaign or coupon), and after `add_delivery` shipped_at, delivered_at, completed_at. Store receipts are
            paid when placed and never shipped. Sorted by placed_at.
        lines: order, line_id, sku, units, list_amount, discount_amount, subsidy_amount, payable_amount (cents, of the
            whole line), is_gift. Sorted by order.
        refunds: order, line (row of lines), refund_id, refund_amount, refund_units, reason, refunded_at.
        abandoned: storefront sessions that ended with a full cart: identity, device, channel, day, placed_at, sku.
    """

    orders: pd.DataFrame
    lines: pd.DataFrame
    refunds: pd.DataFrame = field(default_factory=pd.DataFrame)
    abandoned: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def lines_at(self) -> np.ndarray:
        """The instant at which each line's order was placed."""
        return self.orders["placed_at"].to_numpy()[self.lines["order"].to_numpy()]


def session_names(numbers: np.ndarray) -> np.ndarray:
    """Names of sessions that do not tell their number; even numbers are orders' own."""
    return np.asarray(coded("SN", np.asarray(numbers) * _SESSION_STEP % _SESSION_NAMES, 11))


def sell(world: World) -> tuple[Orders, Fulfilment]:
    """Orders of the whole period, with what the warehouses could not deliver left out."""
    orders = demand.wanted_orders(world)
    lines = baskets.wanted_lines(world, orders)
    order = lines["order"].to_numpy()
    lost = orders["is_lost"].to_numpy()
    abandoned = orders.loc[lost, ["identity", "device", "channel", "day", "placed_at"]].copy()
    first = np.searchsorted(order, np.flatnonzero(lost))
    abandoned["sku"] = lines["sku"].to_numpy()[np.minimum(first, len(lines) - 1)]
    # A presale whose SKU is launched after the last day binds no stock yet.
    due = orders["paid_day"].to_numpy()[order] < world.days
    wanted = pd.DataFrame(
        {
            "day": orders["paid_day"].to_numpy()[order],
            "sku": lines["sku"].to_numpy(),
            "warehouse": orders["warehouse"].to_numpy()[order],
            "units": lines["units"].to_numpy(),
        }
    )
    asked = ~lost[order] & due
    fulfilment = fulfil(world, wanted[asked].reset_index(drop=True))
    kept = ~lost[order] & ~due
    kept[np.flatnonzero(asked)] = fulfilment.kept
    _remember_demand(world, wanted, asked, kept)
    sold = _cleaned(orders, lines[kept])
    baskets.add_money(world, sold.orders, sold.lines)
    _add_ids(sold)
    _add_payment(world, sold.orders)
    sold.abandoned = abandoned.reset_index(drop=True)
    return sold, fulfilment


def _remember_demand(world: World, wanted: pd.DataFrame, asked: np.ndarray, kept: np.ndarray) -> None:
    """True demand by SKU and day: wanted and sold units."""
    day, sku = wanted["day"].to_numpy()[asked], wanted["sku"].to_numpy()[asked]
    units = wanted["units"].to_numpy()[asked]
    key, place = np.unique(sku * world.days + day, return_inverse=True)
    world.truth["demand"] = pd.DataFrame(
        {
            "sku_id": world.skus["sku_id"].to_numpy()[key // world.days],
            "date": world.dates(key % world.days).astype("datetime64[s]"),
            "wanted_units": np.bincount(place, weights=units).astype(np.int64),
            "sold_units": np.bincount(place, weights=units * kept[asked]).astype(np.int64),
        }
    )


def _cleaned(orders: pd.DataFrame, lines: pd.DataFrame) -> Orders:
    """Orders that have something left besides gifts."""
    order = lines["order"].to_numpy()
    real = np.bincount(order[~lines["is_gift"].to_numpy()], minlength=len(orders)) > 0
    place = np.cumsum(real) - 1
    kept = lines[real[order]].copy()
    kept["order"] = place[kept["order"].to_numpy()]
    sold = orders[real].drop(columns=["is_lost"]).reset_index(drop=True)
    return Orders(sold, kept.reset_index(drop=True))


def _add_ids(sold: Orders) -> None:
    """Order, line, session and coupon numbers, as each silo counts."""
    orders, lines = sold.orders, sold.lines
    number = np.arange(len(orders))
    silo = orders["silo"].to_numpy()
    prefix = {"storefront": "SO", "marketplace": "4", "live": "69", "stores": "R"}
    width = {"storefront": 10, "marketplace": 17, "live": 16, "stores": 9}
    ids = np.empty(len(orders), object)
    line_ids = np.empty(len(lines), object)
    of_line = silo[lines["order"].to_numpy()]
    for name, start in prefix.items():
        ids[silo == name] = np.asarray(coded(start, (number[silo == name] + 1) * 11 + 3, width[name]))
        rows = np.flatnonzero(of_line == name)
        line_ids[rows] = np.asarray(coded(start + ("L" if start.isalpha() else "8"), rows * 3 + 7, width[name]))
    orders["order_id"] = ids
    lines["line_id"] = line_ids
    storefront = silo == "storefront"
    sessions = np.full(len(orders), None, object)
    sessions[storefront] = session_names(number[storefront] * 2)
    orders["session_id"] = sessions


def _add_payment(world: World, orders: pd.DataFrame) -> None:
    """Adds order_type, paid_at and cancelled_at: some never pay, some think better of it."""
    rng = world.rng("payment")
    count = len(orders)
    placed = orders["placed_at"].to_numpy()
    presale = orders["presale_sku"].to_numpy() >= 0
    store = (orders["silo"] == "stores").to_numpy()
    campaign = np.maximum(orders["campaign"], 0)
    discount = (world.campaigns["mechanics"].to_numpy()[campaign] == "discount") & (orders["campaign"] >= 0)
    flash = discount & (orders["silo"] == "storefront") & (rng.random(count) < 0.3)
    orders["order_type"] = np.select([presale, flash], ["presale", "flash"], "normal")
    wait = (20 + rng.exponential(90, count)).astype("timedelta64[s]")
    paid = np.where(
        presale, world.at(orders["paid_day"].to_numpy(), rng.integers(36_000, 72_000, count)), placed + wait
    )
    paid = np.where(store, placed, paid)
    draw = rng.random(count)
    unpaid = ~store & (draw < np.where(presale, 0.15, _UNPAID_RATE))
    regret = ~store & ~unpaid & (draw < np.where(presale, 0.15, _UNPAID_RATE) + _CANCELLED_RATE)
    closes = np.where(
        presale, paid + np.timedelta64(2, "D"), placed + rng.integers(1800, 86_400, count).astype("m8[s]")
    )
    regrets = paid + rng.integers(300, 4 * 3600, count).astype("timedelta64[s]")
    cancelled = np.select([unpaid, regret], [closes, regrets], _NEVER)
    paid = np.where(unpaid, _NEVER, paid)
    orders["paid_at"] = until(paid, world.end)
    orders["cancelled_at"] = until(cancelled, world.end)


def until(instant: np.ndarray, end: np.datetime64) -> np.ndarray:
    """The instants before the end; those after it have not happened."""
    instant = np.asarray(instant).astype("datetime64[s]")
    return np.where(instant < end, instant, _NEVER)


def add_delivery(world: World, sold: Orders, shipping: pd.DataFrame) -> None:
    """Adds shipped_at, delivered_at and completed_at to orders, and what was given back."""
    rng = world.rng("completion")
    orders = sold.orders
    count = len(orders)
    orders["shipped_at"] = until(shipping["shipped_at"].to_numpy(), world.end)
    orders["delivered_at"] = until(shipping["delivered_at"].to_numpy(), world.end)
    confirms = rng.integers(3600, 7 * 86_400, count)
    collects = (1800 + rng.exponential(20 * 3600, count)).astype(np.int64)
    pickup = orders["pickup_store"].to_numpy() >= 0
    delay = np.where(pickup, collects, confirms).astype("timedelta64[s]")
    completed = until(orders["delivered_at"].to_numpy() + delay, world.end)
    orders["completed_at"] = np.where(orders["silo"] == "stores", orders["placed_at"], completed)
    sold.refunds = _refunds(world, sold)


def _refunds(world: World, sold: Orders) -> pd.DataFrame:
    """Lines given back after delivery, more of bad SKUs, and all lines of paid orders that were cancelled."""
    rng = world.rng("refunds")
    orders, lines = sold.orders, sold.lines
    order = lines["order"].to_numpy()
    silo = orders["silo"].to_numpy()[order]
    bad = world.skus["is_bad"].to_numpy()[lines["sku"]]
    rate = np.where(bad, 0.2, 0.035) * np.where(silo == "live", 1.8, 1.0)
    delivered = orders["delivered_at"].to_numpy()[order]
    cancelled = orders["cancelled_at"].to_numpy()[order]
    undone = ~np.isnat(cancelled) & ~np.isnat(orders["paid_at"].to_numpy()[order])
    returned = ~np.isnat(delivered) & (rng.random(len(lines)) < rate) & ~lines["is_gift"].to_numpy()
    waits = np.where(undone, rng.integers(600, 86_400, len(lines)), rng.integers(12 * 3600, 9 * 86_400, len(lines)))
    at = until(np.where(undone, cancelled, delivered) + waits.astype("timedelta64[s]"), world.end)
    happens = (undone | returned) & ~np.isnat(at) & (silo != "stores") & (lines["payable_amount"].to_numpy() > 0)
    rows = np.flatnonzero(happens)
    rows = rows[np.argsort(at[rows], kind="stable")]
    units = lines["units"].to_numpy()[rows]
    given = np.where(undone[rows], units, rng.integers(1, 4, len(rows)) % units + 1)
    amount = lines["payable_amount"].to_numpy()[rows] * given // units
    reasons = [rng.choice(len(_REASONS), len(rows), p=_REASON_SHARES[kind]) for kind in (False, True)]
    reason = _REASONS[np.where(bad[rows], reasons[1], reasons[0])]
    return pd.DataFrame(
        {
            "order": order[rows],
            "line": rows,
            "refund_id": np.asarray(coded("RF", np.arange(1, len(rows) + 1) * 5, 10)),
            "refund_amount": amount,
            "refund_units": given,
            "reason": np.where(undone[rows], "取消订单", reason),
            "refunded_at": at[rows],
        }
    )
