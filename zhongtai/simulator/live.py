"""Answers of the live platform's interface."""

from __future__ import annotations

import numpy as np

from zhongtai.simulator.columns import pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lifecycle import versions
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.storefront import refund_columns
from zhongtai.simulator.typing_habits import typed_places
from zhongtai.simulator.world import World

_STATUS = np.array(["created", "paid", "shipped", "finished", "closed"], object)


def write(world: World, silos: Silos, sold: Orders) -> None:
    """Writes every table of live commerce."""
    _write_sessions(world, silos)
    orders, lines, identities = sold.orders, sold.lines, world.identities
    in_silo = (orders["silo"] == "live").to_numpy()
    seen = versions(world, orders, np.flatnonzero(in_silo))
    province, city = typed_places(world, orders["region"].to_numpy(), world.rng("live addresses"), 0.03)
    taken = orders.iloc[seen.order]
    buyer = taken["identity"].to_numpy()
    session_ids = world.live_sessions["live_session_id"].to_numpy()
    silos.write(
        "live",
        "orders",
        {
            "order_id": taken["order_id"].to_numpy(),
            "live_session_id": pick(session_ids, taken["live_session"].to_numpy()),
            "open_id": pick(identities["source_id"].to_numpy(), buyer),
            "phone_masked": pick(identities["phone"].to_numpy(), buyer),
            "ship_to_province": province.take(seen.order),
            "ship_to_city": city.take(seen.order),
            "placed_at": taken["placed_at"].to_numpy(),
            "paid_at": seen.paid_at,
            "status": pick(_STATUS, seen.status),
            "shipping_amount": taken["shipping_amount"].to_numpy(),
            "updated_at": seen.at,
        },
        seen.day,
    )
    order = lines["order"].to_numpy()
    mine = np.flatnonzero(in_silo[order])
    part = lines.iloc[mine]
    silos.write(
        "live",
        "order_lines",
        {
            "order_line_id": part["line_id"].to_numpy(),
            "order_id": pick(orders["order_id"].to_numpy(), order[mine]),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), part["sku"].to_numpy()),
            "units": part["units"].to_numpy(),
            "list_amount": part["list_amount"].to_numpy(),
            "discount_amount": part["discount_amount"].to_numpy(),
            "platform_subsidy_amount": part["subsidy_amount"].to_numpy(),
            "payable_amount": part["payable_amount"].to_numpy(),
            "placed_at": sold.lines_at[mine],
        },
        orders["day"].to_numpy()[order[mine]],
    )
    refunds = sold.refunds[in_silo[sold.refunds["order"]]]
    silos.write("live", "refunds", refund_columns(sold, refunds), world.day_of(refunds["refunded_at"].to_numpy()))


def _write_sessions(world: World, silos: Silos) -> None:
    """Sessions when they end, and their minutes: viewers rise, stay and leave."""
    rng = world.rng("live minutes")
    sessions = world.live_sessions
    start, end = (sessions[column].to_numpy().astype("datetime64[s]") for column in ("start", "end"))
    day = sessions["day"].to_numpy()
    silos.write(
        "live",
        "sessions",
        {
            "live_session_id": sessions["live_session_id"].to_numpy(),
            "platform": "douyin",
            "host": sessions["host"].to_numpy(),
            "title": sessions["title"].to_numpy(),
            "started_at": start,
            "ended_at": end,
            "updated_at": end + np.timedelta64(60, "s"),
        },
        day,
    )
    length = ((end - start).astype(np.int64) // 60).astype(np.int64)
    session = np.repeat(np.arange(len(sessions)), length)
    minute = np.arange(len(session)) - np.repeat(np.cumsum(length) - length, length)
    share = minute / length[session]
    size = (world.scale.users**0.7 * 2 * rng.lognormal(0, 0.4, len(sessions)))[session]
    viewers = rng.poisson(size * (0.15 + 4 * share * (1 - share)) * world.calendar["demand"].to_numpy()[day[session]])
    silos.write(
        "live",
        "session_minutes",
        {
            "live_session_id": pick(sessions["live_session_id"].to_numpy(), session),
            "minute_at": start[session] + (minute * 60).astype("timedelta64[s]"),
            "viewers": viewers,
            "likes": rng.poisson(viewers * 0.4),
        },
        day[session],
    )
