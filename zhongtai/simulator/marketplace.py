"""Files of the marketplaces' seller centres, a file a platform and day."""

from __future__ import annotations

import numpy as np

from zhongtai.simulator.activities import Activities
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lifecycle import versions
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.storefront import refund_columns
from zhongtai.simulator.typing_habits import typed_places
from zhongtai.simulator.world import World

_STATUS = np.array(["待付款", "待发货", "已发货", "交易成功", "交易关闭"], object)
_PLATFORMS = {"tmall": "天猫", "jd": "京东"}


def write(world: World, silos: Silos, sold: Orders, activities: Activities) -> None:
    """Writes every table of the marketplaces."""
    orders = sold.orders
    in_silo = (orders["silo"] == "marketplace").to_numpy()
    part_of = np.where(orders["platform"].to_numpy() == "tmall", "tmall_{}", "jd_{}")
    _write_orders(world, silos, sold, in_silo, part_of)
    _write_lines(world, silos, sold, in_silo, part_of)
    _write_after_sales(world, silos, sold, activities, in_silo, part_of)


def _write_orders(world: World, silos: Silos, sold: Orders, in_silo: np.ndarray, part_of: np.ndarray) -> None:
    orders, identities = sold.orders, world.identities
    seen = versions(world, orders, np.flatnonzero(in_silo))
    province, city = typed_places(world, orders["region"].to_numpy(), world.rng("marketplace addresses"), 0.02)
    taken = orders.iloc[seen.order]
    buyer = taken["identity"].to_numpy()
    silos.write(
        "marketplace",
        "orders",
        {
            "order_id": taken["order_id"].to_numpy(),
            "platform": np.where(taken["platform"] == "tmall", _PLATFORMS["tmall"], _PLATFORMS["jd"]),
            "buyer_id": pick(identities["source_id"].to_numpy(), buyer),
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
        parts=part_of[seen.order],
    )


def _write_lines(world: World, silos: Silos, sold: Orders, in_silo: np.ndarray, part_of: np.ndarray) -> None:
    orders, lines = sold.orders, sold.lines
    order = lines["order"].to_numpy()
    mine = np.flatnonzero(in_silo[order])
    part = lines.iloc[mine]
    sku = part["sku"].to_numpy()
    silos.write(
        "marketplace",
        "order_lines",
        {
            "order_line_id": part["line_id"].to_numpy(),
            "order_id": pick(orders["order_id"].to_numpy(), order[mine]),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), sku),
            "title": pick(_titles(world), sku),
            "units": part["units"].to_numpy(),
            "list_amount": part["list_amount"].to_numpy(),
            "discount_amount": part["discount_amount"].to_numpy(),
            "platform_subsidy_amount": part["subsidy_amount"].to_numpy(),
            "payable_amount": part["payable_amount"].to_numpy(),
            "placed_at": sold.lines_at[mine],
        },
        orders["day"].to_numpy()[order[mine]],
        parts=part_of[order[mine]],
    )


def _write_after_sales(
    world: World, silos: Silos, sold: Orders, activities: Activities, in_silo: np.ndarray, part_of: np.ndarray
) -> None:
    """Refunds and reviews."""
    orders, lines, identities = sold.orders, sold.lines, world.identities
    order = lines["order"].to_numpy()
    refunds = sold.refunds[in_silo[sold.refunds["order"]]]
    silos.write(
        "marketplace",
        "refunds",
        refund_columns(sold, refunds),
        world.day_of(refunds["refunded_at"].to_numpy()),
        parts=part_of[refunds["order"]],
    )
    reviews = activities.reviews[in_silo[order[activities.reviews["line"]]]]
    line = reviews["line"].to_numpy()
    silos.write(
        "marketplace",
        "reviews",
        {
            "review_id": coded("7", line, 12),
            "order_id": pick(orders["order_id"].to_numpy(), order[line]),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), lines["sku"].to_numpy()[line]),
            "buyer_id": pick(identities["source_id"].to_numpy(), orders["identity"].to_numpy()[order[line]]),
            "rating": reviews["rating"].to_numpy(),
            "review_text": reviews["text"].to_numpy(),
            "reviewed_at": reviews["reviewed_at"].to_numpy(),
        },
        world.day_of(reviews["reviewed_at"].to_numpy()),
        parts=part_of[order[line]],
    )


def _titles(world: World) -> np.ndarray:
    """Titles of the listings, with commas and quotation marks as sellers like them."""
    rng = world.rng("titles")
    names = world.skus["sku_name"].to_numpy()
    tail = np.array([" 官方正品", ",新款包邮", ' "爆款" 家用', " 高颜值礼物", ""], object)
    titles = names + tail[rng.integers(0, len(tail), len(names))]
    titles[rng.random(len(names)) < 0.05] = None
    return titles
