"""Files of the storefront, but for its events (behaviour.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from zhongtai.simulator.activities import Activities
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lifecycle import versions
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.typing_habits import typed_places
from zhongtai.simulator.world import World

_STATUS = np.array(["created", "paid", "shipped", "completed", "cancelled"], object)
_METHODS = np.array(["wechat_pay", "alipay", "card", "balance"], object)
_DEPOSIT_SHARE = 10  # a tenth


def write(world: World, silos: Silos, sold: Orders, activities: Activities) -> None:
    """Writes every table of the storefront but events."""
    _write_users(world, silos)
    _write_orders(world, silos, sold)
    _write_payments(world, silos, sold)
    _write_refunds(world, silos, sold)
    _write_coupons(world, silos, sold, activities)
    _write_reviews(world, silos, sold, activities)
    _write_service(world, silos, sold, activities)


def first_day(world: World, instants: np.ndarray) -> np.ndarray:
    """The day of a row's file; what happened before the simulation stands in its first file."""
    return np.maximum(world.day_of(instants), 0)


def _write_users(world: World, silos: Silos) -> None:
    """Accounts: at first as registered, some without the phone that they bind later."""
    rng = world.rng("users")
    rows = np.flatnonzero(world.identities["kind"] == "account")
    made = world.identities["created_at"].to_numpy().astype("datetime64[s]")
    later = made[rows] + (3_600 + rng.exponential(25 * 86_400, len(rows))).astype("timedelta64[s]")
    # The first file has the accounts of long ago as they were when they last changed.
    binds = (rng.random(len(rows)) < 0.12) & (later < world.end) & (later >= world.midnight(0))
    updated = np.r_[made[rows], later[binds]]
    account = np.r_[rows, rows[binds]]
    unbound = np.r_[binds, np.zeros(int(binds.sum()), bool)]
    order = np.argsort(updated, kind="stable")
    updated, account, unbound = updated[order], account[order], unbound[order]
    person = world.identities["person"].to_numpy()[account]
    # What a person typed stays what it is, version after version.
    province, city = typed_places(world, world.persons["region"].to_numpy(), rng, 0.25)
    told = rng.random(len(world.persons)) < 0.6
    year = np.where(rng.random(len(world.persons)) < 0.45, world.persons["birth_year"].to_numpy(), np.nan)
    gender = np.where(told, world.persons["gender"].to_numpy(), None)
    identities = world.identities
    ids = identities["source_id"].to_numpy()
    silos.write(
        "storefront",
        "users",
        {
            "user_id": pick(ids, account),
            "phone": pick(identities["phone"].to_numpy(), np.where(unbound, -1, account)),
            "email": pick(identities["email"].to_numpy(), account),
            "unionid": pick(identities["unionid"].to_numpy(), account),
            "registered_at": made[account],
            "registration_channel": pick(identities["channel"].to_numpy(), account),
            "referrer_user_id": pick(ids, identities["referrer"].to_numpy()[account]),
            "province": province.take(person),
            "city": city.take(person),
            "gender": gender[person],
            "birth_year": year[person],
            "updated_at": updated,
        },
        first_day(world, updated),
    )


def _write_orders(world: World, silos: Silos, sold: Orders) -> None:
    rng = world.rng("storefront addresses")
    orders, lines = sold.orders, sold.lines
    rows = np.flatnonzero(orders["silo"] == "storefront")
    seen = versions(world, orders, rows)
    province, city = typed_places(world, orders["region"].to_numpy(), rng, 0.04)
    taken = orders.iloc[seen.order]
    silos.write(
        "storefront",
        "orders",
        {
            "order_id": taken["order_id"].to_numpy(),
            "user_id": pick(world.identities["source_id"].to_numpy(), taken["identity"].to_numpy()),
            "placed_at": taken["placed_at"].to_numpy(),
            "paid_at": seen.paid_at,
            "status": pick(_STATUS, seen.status),
            "order_type": taken["order_type"].to_numpy(),
            "channel": taken["channel"].to_numpy(),
            "session_id": taken["session_id"].to_numpy(),
            "campaign_id": pick(world.campaigns["campaign_id"].to_numpy(), taken["campaign"].to_numpy()),
            "coupon_id": coded("CU", taken["coupon"].to_numpy()),
            "pickup_store_id": pick(world.stores["store_id"].to_numpy(), taken["pickup_store"].to_numpy()),
            "ship_to_province": province.take(seen.order),
            "ship_to_city": city.take(seen.order),
            "shipping_amount": taken["shipping_amount"].to_numpy(),
            "updated_at": seen.at,
        },
        seen.day,
    )
    order = lines["order"].to_numpy()
    mine = np.flatnonzero((orders["silo"] == "storefront").to_numpy()[order])
    part = lines.iloc[mine]
    silos.write(
        "storefront",
        "order_lines",
        {
            "order_line_id": part["line_id"].to_numpy(),
            "order_id": pick(orders["order_id"].to_numpy(), order[mine]),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), part["sku"].to_numpy()),
            "units": part["units"].to_numpy(),
            "list_amount": part["list_amount"].to_numpy(),
            "discount_amount": part["discount_amount"].to_numpy(),
            "payable_amount": part["payable_amount"].to_numpy(),
            "is_gift": part["is_gift"].to_numpy(),
            "placed_at": sold.lines_at[mine],
        },
        orders["day"].to_numpy()[order[mine]],
    )


def _write_payments(world: World, silos: Silos, sold: Orders) -> None:
    """Payments, and the reservations that deposits belong to."""
    rng = world.rng("storefront payments")
    orders, lines = sold.orders, sold.lines
    storefront = (orders["silo"] == "storefront").to_numpy()
    presale = (orders["presale_sku"] >= 0).to_numpy() & storefront
    method = rng.choice(4, len(orders), p=[0.52, 0.32, 0.1, 0.06])
    due = orders["payable_amount"].to_numpy()
    deposit = np.where(presale, due // _DEPOSIT_SHARE, 0)
    paid = orders["paid_at"].to_numpy().astype("datetime64[s]")
    reserved = orders["placed_at"].to_numpy().astype("datetime64[s]")
    settled, booked = np.flatnonzero(storefront & ~np.isnat(paid)), np.flatnonzero(presale)
    order = np.r_[settled, booked]
    at = np.r_[paid[settled], reserved[booked]]
    kind = np.where(presale[order], np.where(np.arange(len(order)) < len(settled), "balance", "deposit"), "full")
    amount = np.where(kind == "deposit", deposit[order], due[order] - deposit[order])
    silos.write(
        "storefront",
        "payments",
        {
            "payment_id": coded("PY", order * 10 + (kind == "deposit"), 11),
            "order_id": pick(orders["order_id"].to_numpy(), order),
            "payment_method": pick(_METHODS, method[order]),
            "payment_kind": kind,
            "paid_amount": amount,
            "paid_at": at,
        },
        world.day_of(at),
    )
    line = np.searchsorted(lines["order"].to_numpy(), booked)
    silos.write(
        "storefront",
        "presale_reservations",
        {
            "reservation_id": coded("RV", booked),
            "user_id": pick(world.identities["source_id"].to_numpy(), orders["identity"].to_numpy()[booked]),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), lines["sku"].to_numpy()[line]),
            "units": lines["units"].to_numpy()[line],
            "deposit_amount": deposit[booked],
            "channel": orders["channel"].to_numpy()[booked],
            "reserved_at": reserved[booked],
        },
        world.day_of(reserved[booked]),
    )


def _write_refunds(world: World, silos: Silos, sold: Orders) -> None:
    refunds = sold.refunds
    mine = refunds[(sold.orders["silo"] == "storefront").to_numpy()[refunds["order"]]]
    silos.write("storefront", "refunds", refund_columns(sold, mine), world.day_of(mine["refunded_at"].to_numpy()))


def refund_columns(sold: Orders, rows: pd.DataFrame) -> dict[str, Any]:
    """The columns of refunds, which three silos share."""
    return {
        "refund_id": rows["refund_id"].to_numpy(),
        "order_id": pick(sold.orders["order_id"].to_numpy(), rows["order"].to_numpy()),
        "order_line_id": pick(sold.lines["line_id"].to_numpy(), rows["line"].to_numpy()),
        "refund_amount": rows["refund_amount"].to_numpy(),
        "refund_units": rows["refund_units"].to_numpy(),
        "reason": rows["reason"].to_numpy(),
        "refunded_at": rows["refunded_at"].to_numpy(),
    }


def _write_coupons(world: World, silos: Silos, sold: Orders, activities: Activities) -> None:
    """Coupons as claimed, and again as redeemed."""
    coupons = activities.coupons
    redeemed = coupons["redeemed_at"].to_numpy().astype("datetime64[s]")
    used = np.flatnonzero(~np.isnat(redeemed))
    row = np.r_[np.arange(len(coupons)), used]
    again = np.arange(len(row)) >= len(coupons)
    updated = np.where(again, redeemed[row], coupons["issued_at"].to_numpy().astype("datetime64[s]")[row])
    part = coupons.iloc[row]
    silos.write(
        "storefront",
        "coupons",
        {
            "coupon_id": coded("CU", row),
            "user_id": pick(world.identities["source_id"].to_numpy(), part["identity"].to_numpy()),
            "campaign_id": pick(world.campaigns["campaign_id"].to_numpy(), part["campaign"].to_numpy()),
            "issue_channel": part["channel"].to_numpy(),
            "scope_kind": part["scope_kind"].to_numpy(),
            "scope_id": part["scope_id"].to_numpy(),
            "discount_amount": part["discount_amount"].to_numpy(),
            "threshold_amount": part["threshold_amount"].to_numpy(),
            "issued_at": part["issued_at"].to_numpy(),
            "expires_at": part["expires_at"].to_numpy(),
            "redeemed_at": np.where(again, redeemed[row], np.datetime64("NaT", "s")),
            "redeemed_order_id": pick(
                sold.orders["order_id"].to_numpy(), np.where(again, part["order"].to_numpy(), -1)
            ),
            "updated_at": updated,
        },
        first_day(world, updated),
    )


def _write_reviews(world: World, silos: Silos, sold: Orders, activities: Activities) -> None:
    orders, lines = sold.orders, sold.lines
    reviews = activities.reviews
    order = lines["order"].to_numpy()[reviews["line"]]
    mine = (orders["silo"] == "storefront").to_numpy()[order]
    reviews, order = reviews[mine], order[mine]
    silos.write(
        "storefront",
        "reviews",
        {
            "review_id": coded("RE", reviews["line"].to_numpy()),
            "order_id": pick(orders["order_id"].to_numpy(), order),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), lines["sku"].to_numpy()[reviews["line"]]),
            "user_id": pick(world.identities["source_id"].to_numpy(), orders["identity"].to_numpy()[order]),
            "rating": reviews["rating"].to_numpy(),
            "review_text": reviews["text"].to_numpy(),
            "reviewed_at": reviews["reviewed_at"].to_numpy(),
        },
        world.day_of(reviews["reviewed_at"].to_numpy()),
    )


def _write_service(world: World, silos: Silos, sold: Orders, activities: Activities) -> None:
    """Benefits used, and tickets as opened and again as closed."""
    orders, benefits, tickets = sold.orders, activities.benefits, activities.tickets
    users = world.identities["source_id"].to_numpy()
    order = benefits["order"].to_numpy()
    used = orders["paid_at"].to_numpy()[order]
    silos.write(
        "storefront",
        "benefits_used",
        {
            "benefit_use_id": coded("BU", order),
            "user_id": pick(users, orders["identity"].to_numpy()[order]),
            "benefit": benefits["benefit"].to_numpy(),
            "order_id": pick(orders["order_id"].to_numpy(), order),
            "value_amount": benefits["value_amount"].to_numpy(),
            "used_at": used,
        },
        world.day_of(used),
    )
    closed = tickets["closed_at"].to_numpy().astype("datetime64[s]")
    done = np.flatnonzero(~np.isnat(closed))
    row = np.r_[np.arange(len(tickets)), done]
    again = np.arange(len(row)) >= len(tickets)
    part = tickets.iloc[row]
    updated = np.where(again, closed[row], tickets["opened_at"].to_numpy().astype("datetime64[s]")[row])
    silos.write(
        "storefront",
        "service_tickets",
        {
            "ticket_id": coded("TK", row),
            "user_id": pick(users, part["identity"].to_numpy()),
            "order_id": pick(orders["order_id"].to_numpy(), part["order"].to_numpy()),
            "topic": part["topic"].to_numpy(),
            "opened_at": part["opened_at"].to_numpy(),
            "closed_at": np.where(again, closed[row], np.datetime64("NaT", "s")),
            "satisfaction": np.where(again, part["satisfaction"].to_numpy(), np.nan),
            "updated_at": updated,
        },
        world.day_of(updated),
    )
