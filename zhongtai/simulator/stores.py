"""Workbooks of the stores' office, one a week with a sheet a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhongtai.simulator import periods
from zhongtai.simulator.activities import Activities
from zhongtai.simulator.baskets import ranges
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lifecycle import last_of
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.world import World

_METHODS = np.array(["wechat_pay", "alipay", "card", "cash"], object)
Sheet = tuple[dict[str, Any], np.ndarray]


def write(world: World, silos: Silos, sold: Orders, activities: Activities) -> None:
    """Writes every table of the stores."""
    receipts, receipt_lines = _receipts(world, sold)
    sheets = {
        "stores": _stores(world),
        "receipts": receipts,
        "receipt_lines": receipt_lines,
        "visits": _visits(world, sold, activities),
        "pickups": _pickups(world, sold),
        "store_stock": _stock(world),
    }
    silos.workbooks("stores", sheets)


def _sundays(world: World) -> np.ndarray:
    """The last day of each week, the last week cut short."""
    weekday = world.calendar["weekday"].to_numpy()
    return np.unique(np.r_[np.flatnonzero(weekday == 6), world.days - 1])


def _stores(world: World) -> Sheet:
    stores = world.stores
    day = np.repeat(_sundays(world), len(stores))
    row = np.tile(np.arange(len(stores)), len(day) // len(stores))
    there = stores["opened_day"].to_numpy()[row] <= day
    day, row = day[there], row[there]
    closed = stores["closed_day"].to_numpy()[row]
    region = stores["region"].to_numpy()[row]
    columns = {
        "snapshot_date": world.dates(day),
        "store_id": pick(stores["store_id"].to_numpy(), row),
        "store_name": pick(stores["store_name"].to_numpy(), row),
        "store_kind": pick(stores["store_kind"].to_numpy(), row),
        "province": pick(world.regions["province"].to_numpy(), region),
        "city": pick(world.regions["city"].to_numpy(), region),
        "address": pick(stores["address"].to_numpy(), row),
        "longitude": stores["longitude"].to_numpy()[row],
        "latitude": stores["latitude"].to_numpy()[row],
        "opened_date": world.dates(stores["opened_day"].to_numpy()[row]),
        "closed_date": np.where(
            (closed >= 0) & (closed <= day), world.dates(np.maximum(closed, 0)), np.datetime64("NaT", "D")
        ),
    }
    return columns, day


def _receipts(world: World, sold: Orders) -> tuple[Sheet, Sheet]:
    rng = world.rng("receipts")
    orders, lines = sold.orders, sold.lines
    in_silo = (orders["silo"] == "stores").to_numpy()
    part = orders[in_silo]
    store = part["store"].to_numpy()
    cashier = np.where(rng.random(len(part)) < 0.1, -1, store * 4 + rng.integers(0, 4, len(part)))
    receipts = {
        "receipt_id": part["order_id"].to_numpy(),
        "store_id": pick(world.stores["store_id"].to_numpy(), store),
        "card_no": pick(world.identities["source_id"].to_numpy(), part["identity"].to_numpy()),
        "cashier": coded("CA", cashier, 4),
        "payment_method": pick(_METHODS, rng.choice(4, len(part), p=[0.5, 0.25, 0.15, 0.1])),
        "paid_at": part["placed_at"].to_numpy(),
    }
    order = lines["order"].to_numpy()
    mine = np.flatnonzero(in_silo[order])
    sold_lines = lines.iloc[mine]
    receipt_lines = {
        "receipt_line_id": sold_lines["line_id"].to_numpy(),
        "receipt_id": pick(orders["order_id"].to_numpy(), order[mine]),
        "sku_id": pick(world.skus["sku_id"].to_numpy(), sold_lines["sku"].to_numpy()),
        "units": sold_lines["units"].to_numpy(),
        "list_amount": sold_lines["list_amount"].to_numpy(),
        "discount_amount": sold_lines["discount_amount"].to_numpy(),
        "paid_amount": sold_lines["payable_amount"].to_numpy(),
        "paid_at": sold.lines_at[mine],
    }
    return (receipts, part["day"].to_numpy()), (receipt_lines, orders["day"].to_numpy()[order[mine]])


def _visits(world: World, sold: Orders, activities: Activities) -> Sheet:
    """Visits at which a claimed coupon was shown, with the card where there is one, and members' others."""
    rng = world.rng("store visits")
    orders, coupons = sold.orders, activities.coupons
    cards = np.flatnonzero(world.identities["kind"] == "card")
    of_person = np.full(len(world.persons), -1)
    of_person[world.identities["person"].to_numpy()[cards]] = cards
    shown = np.flatnonzero(coupons["store"] >= 0)
    card = of_person[world.identities["person"].to_numpy()[coupons["identity"].to_numpy()[shown]]]
    at = coupons["shown_at"].to_numpy().astype("datetime64[s]")[shown]
    # A card that was made later could not be shown.
    made = world.identities["created_at"].to_numpy().astype("datetime64[s]")[np.maximum(card, 0)]
    card = np.where((card >= 0) & (made < at) & (rng.random(len(card)) < 0.6), card, -1)
    bought = np.flatnonzero(((orders["silo"] == "stores") & (orders["identity"] >= 0)).to_numpy())
    bought = bought[rng.random(len(bought)) < 0.35]
    before = orders["placed_at"].to_numpy().astype("datetime64[s]")[bought] - np.timedelta64(600, "s")
    store = np.r_[coupons["store"].to_numpy()[shown], orders["store"].to_numpy()[bought]]
    visited = np.r_[at, before]
    columns = {
        "visit_id": coded("VI", np.arange(len(visited))),
        "store_id": pick(world.stores["store_id"].to_numpy(), store),
        "card_no": pick(world.identities["source_id"].to_numpy(), np.r_[card, orders["identity"].to_numpy()[bought]]),
        "coupon_id": coded("CU", np.r_[shown, np.full(len(bought), -1)]),
        "visited_at": visited,
    }
    return columns, world.day_of(visited)


def _pickups(world: World, sold: Orders) -> Sheet:
    """Parcels as they arrived and as they were collected; a week's workbook has the last state."""
    orders = sold.orders
    arrived = orders["delivered_at"].to_numpy().astype("datetime64[s]")
    collected = orders["completed_at"].to_numpy().astype("datetime64[s]")
    rows = np.flatnonzero((orders["pickup_store"] >= 0).to_numpy() & ~np.isnat(arrived))
    done = rows[~np.isnat(collected[rows])]
    order = np.r_[rows, done]
    updated = np.r_[arrived[rows], collected[done]]
    place = np.lexsort((updated, order))
    order, updated = order[place], updated[place]
    day = world.day_of(updated)
    last = last_of(order, periods.starts(world.dates(day), "week"))
    order, updated, day = order[last], updated[last], day[last]
    columns = {
        "pickup_id": coded("PU", order),
        "order_id": pick(orders["order_id"].to_numpy(), order),
        "store_id": pick(world.stores["store_id"].to_numpy(), orders["pickup_store"].to_numpy()[order]),
        "arrived_at": arrived[order],
        "collected_at": np.where(collected[order] <= updated, collected[order], np.datetime64("NaT", "s")),
        "updated_at": updated,
    }
    return columns, day


def _stock(world: World) -> Sheet:
    """Shelves on the last day of each week: mostly filled, now and then empty."""
    rng = world.rng("store stock")
    shelf = ranges(world)
    day, store, place = (
        part.ravel()
        for part in np.meshgrid(_sundays(world), np.arange(len(shelf)), np.arange(shelf.shape[1]), indexing="ij")
    )
    opened = world.stores["opened_day"].to_numpy()[store]
    closed = world.stores["closed_day"].to_numpy()[store]
    is_open = (opened <= day) & ((closed < 0) | (day <= closed))
    day, store, place = day[is_open], store[is_open], place[is_open]
    units = rng.poisson(3 + 12 * (1 - place / shelf.shape[1])) * (rng.random(len(day)) >= 0.06)
    columns = {
        "stock_date": world.dates(day),
        "store_id": pick(world.stores["store_id"].to_numpy(), store),
        "sku_id": pick(world.skus["sku_id"].to_numpy(), shelf[store, place]),
        "on_hand_units": units,
    }
    return columns, day
