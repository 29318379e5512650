"""What suppliers bill and are paid; planted: bills that fit neither the order nor the receipt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from zhongtai.simulator.purchasing import Terms
from zhongtai.simulator.world import World

_WRONG_PRICE_RATE, _WRONG_UNITS_RATE = 0.025, 0.02
_LATE_PAYMENT_RATE, _PART_PAYMENT_RATE = 0.18, 0.08


@dataclass
class Invoices:
    """Bills and payments.

    Attributes:
        invoices: supplier, order, invoiced_day, due_day, amount (cents), created_at.
        lines: invoice, line (of a purchase order), sku, units, amount (cents of the line).
        payments: invoice, amount (cents), paid_at.
    """

    invoices: pd.DataFrame
    lines: pd.DataFrame
    payments: pd.DataFrame


def invoice(
    world: World, terms: Terms, orders: pd.DataFrame, lines: pd.DataFrame, deliveries: pd.DataFrame
) -> Invoices:
    """A bill an order, some days after all its deliveries, for what was accepted; some are wrong."""
    rng = world.rng("invoices")
    billed = _billed(world, lines, deliveries, rng)
    order = lines["order"].to_numpy()[billed["line"]]
    # The line with the last receipt decides when the order is billed.
    last = np.zeros(len(orders), "int64")
    received = deliveries["received_at"].to_numpy().astype("datetime64[s]").astype("int64")
    np.maximum.at(last, lines["order"].to_numpy()[deliveries["line"]], received)
    keys, number = np.unique(order, return_inverse=True)
    count = len(keys)
    supplier = orders["supplier"].to_numpy()[keys]
    created = last[keys].astype("datetime64[s]") + (rng.uniform(0.3, 5, count) * 86_400).astype("timedelta64[s]")
    day = world.day_of(created)
    invoices = pd.DataFrame(
        {
            "supplier": supplier,
            "order": keys,
            "invoiced_day": day - rng.integers(0, 2, count),
            "due_day": day + terms.payment_days[supplier],
            "amount": np.bincount(number, weights=billed["amount"], minlength=count).astype(np.int64),
            "created_at": created,
        }
    )
    billed.insert(0, "invoice", number)
    _remember_mismatches(world, billed, invoices)
    return Invoices(invoices, billed.drop(columns=["kind"]), _payments(world, invoices, rng))


def _billed(world: World, lines: pd.DataFrame, deliveries: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The lines of bills: line, sku, units, amount, kind ('', price or units: what is wrong)."""
    accepted = np.bincount(deliveries["line"], weights=deliveries["accepted_units"], minlength=len(lines))
    ends = deliveries["received_at"].to_numpy().astype("datetime64[s]") < world.end
    complete = np.bincount(deliveries["line"], weights=~ends, minlength=len(lines)) == 0
    line = np.flatnonzero((accepted > 0) & complete)
    units = accepted[line].astype(np.int64)
    price = lines["price_amount"].to_numpy()[line]
    draw = rng.random(len(line))
    wrong_price = draw < _WRONG_PRICE_RATE
    wrong_units = (draw >= _WRONG_PRICE_RATE) & (draw < _WRONG_PRICE_RATE + _WRONG_UNITS_RATE)
    dearer = np.maximum(price + 1, np.round(price * rng.uniform(1.02, 1.1, len(line)))).astype(np.int64)
    more = np.maximum(1, np.round(units * rng.uniform(0.02, 0.2, len(line)))).astype(np.int64)
    units = units + np.where(wrong_units, more, 0)
    return pd.DataFrame(
        {
            "line": line,
            "sku": lines["sku"].to_numpy()[line],
            "units": units,
            "amount": units * np.where(wrong_price, dearer, price),
            "kind": np.select([wrong_price, wrong_units], ["price", "units"], ""),
        }
    )


def _remember_mismatches(world: World, billed: pd.DataFrame, invoices: pd.DataFrame) -> None:
    """Planted: which billed lines differ from order and receipt, and in what."""
    entered = invoices["created_at"].to_numpy()[billed["invoice"]] < world.end
    wrong = billed[(billed["kind"] != "") & entered]
    world.truth["invoice_mismatches"] = pd.DataFrame(
        {
            "invoice_line_id": [f"VL{number:08d}" for number in wrong.index + 1],
            "purchase_line_id": [f"PL{number:08d}" for number in wrong["line"] + 1],
            "kind": wrong["kind"].to_numpy(),
        }
    )


def _payments(world: World, invoices: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Payments near the due date: some late, some in two parts, the second later."""
    count = len(invoices)
    late = np.where(rng.random(count) < _LATE_PAYMENT_RATE, rng.integers(3, 45, count), rng.integers(-6, 1, count))
    day = np.maximum(invoices["due_day"].to_numpy() + late, invoices["invoiced_day"].to_numpy() + 2)
    parted = rng.random(count) < _PART_PAYMENT_RATE
    amount = invoices["amount"].to_numpy()
    half = np.where(parted, amount // 2, amount)
    rows = np.r_[np.arange(count), np.flatnonzero(parted)]
    is_rest = np.arange(len(rows)) >= count
    paid_day = day[rows] + np.where(is_rest, 20, 0)
    paid = world.at(np.minimum(paid_day, world.days + 400), rng.integers(9 * 3600, 17 * 3600, len(rows)))
    payments = pd.DataFrame(
        {"invoice": rows, "amount": np.where(is_rest, (amount - half)[rows], half[rows]), "paid_at": paid}
    )
    return payments.sort_values("paid_at", kind="stable", ignore_index=True)
