"""The ERP's tables as Parquet dumps: what is kept of stock, purchases and bills."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator import masters
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.supply import Fulfilment
from zhongtai.simulator.versions import versions
from zhongtai.simulator.world import World

_INVENTORY_ROWS = 2_000_000
_STATUS = np.array(["created", "confirmed", "shipped", "received", "cancelled"], object)


def write(world: World, silos: Silos, fulfilment: Fulfilment) -> None:
    """Writes every table of the ERP."""
    masters.write(world, silos, fulfilment.terms)
    _write_orders(world, silos, fulfilment)
    _write_deliveries(world, silos, fulfilment)
    _write_transfers(world, silos, fulfilment.transfers)
    _write_invoices(world, silos, fulfilment)
    _write_payments(world, silos, fulfilment)
    _write_inventory(world, silos, fulfilment)


def _write_orders(world: World, silos: Silos, fulfilment: Fulfilment) -> None:
    orders, lines = fulfilment.orders, fulfilment.lines
    received = _received(fulfilment)
    stages = [orders[name].to_numpy() for name in ("created_at", "confirmed_at", "shipped_at")]
    rows = versions(world, [*stages, received, orders["cancelled_at"].to_numpy()])
    thing = rows.thing
    columns = {
        "purchase_order_id": coded("PO", thing + 1),
        "supplier_id": pick(world.suppliers["supplier_id"], orders["supplier"].to_numpy()[thing]),
        "warehouse_id": pick(world.warehouses["warehouse_id"], orders["warehouse"].to_numpy()[thing]),
        "supply_mode": orders["supply_mode"].to_numpy()[thing],
        "status": _STATUS[rows.stage],
        "triggered_at": orders["triggered_at"].to_numpy()[thing],
        "created_at": orders["created_at"].to_numpy()[thing],
        "confirmed_at": rows.shown(orders["confirmed_at"].to_numpy()),
        "updated_at": rows.updated_at,
    }
    silos.write("erp", "purchase_orders", columns, rows.day)
    created = orders["created_at"].to_numpy()[lines["order"]]
    written = np.flatnonzero(created < world.end)
    written = written[np.argsort(created[written], kind="stable")]
    chosen = lines.iloc[written]
    columns = {
        "purchase_line_id": coded("PL", written + 1),
        "purchase_order_id": coded("PO", chosen["order"].to_numpy() + 1),
        "sku_id": pick(world.skus["sku_id"], chosen["sku"].to_numpy()),
        "ordered_units": chosen["units"].to_numpy(),
        "unit_amount": chosen["price_amount"].to_numpy(),
        "promised_date": world.dates(chosen["promised_day"].to_numpy()),
        "created_at": created[written],
    }
    silos.write("erp", "purchase_lines", columns, world.day_of(created[written]))
    world.truth["supplier_quality"] = world.suppliers[["supplier_id", "quality", "changes_day"]].copy()


def _received(fulfilment: Fulfilment) -> np.ndarray:
    """When the last delivery of each order came in; NaT where none ever does."""
    order = fulfilment.lines["order"].to_numpy()[fulfilment.deliveries["line"]]
    last = np.full(len(fulfilment.orders), np.iinfo(np.int64).min)
    np.maximum.at(last, order, fulfilment.deliveries["received_at"].to_numpy().astype("datetime64[s]").astype(np.int64))
    return last.view("datetime64[s]")


def _write_deliveries(world: World, silos: Silos, fulfilment: Fulfilment) -> None:
    deliveries, lines, orders = fulfilment.deliveries, fulfilment.lines, fulfilment.orders
    warehouse = orders["warehouse"].to_numpy()[lines["order"]]
    shipped = deliveries["shipped_at"].to_numpy()
    sent = np.flatnonzero(shipped < world.end)
    sent = sent[np.argsort(shipped[sent], kind="stable")]
    line = deliveries["line"].to_numpy()
    columns = {
        "asn_id": coded("AN", sent + 1),
        "purchase_line_id": coded("PL", line[sent] + 1),
        "shipped_units": deliveries["shipped_units"].to_numpy()[sent],
        "shipped_at": shipped[sent],
    }
    silos.write("erp", "asn", columns, world.day_of(shipped[sent]))
    here = np.flatnonzero(deliveries["received_at"].to_numpy() < world.end)
    received = deliveries.iloc[here]
    columns = {
        "receipt_id": coded("RC", here + 1),
        "purchase_line_id": coded("PL", line[here] + 1),
        "warehouse_id": pick(world.warehouses["warehouse_id"], warehouse[line[here]]),
        "sku_id": pick(world.skus["sku_id"], lines["sku"].to_numpy()[line[here]]),
        "received_units": received["shipped_units"].to_numpy(),
        "accepted_units": received["accepted_units"].to_numpy(),
        "rejected_units": received["rejected_units"].to_numpy(),
        "received_at": received["received_at"].to_numpy(),
    }
    silos.write("erp", "receipts", columns, world.day_of(received["received_at"].to_numpy()))


def _write_transfers(world: World, silos: Silos, transfers: pd.DataFrame) -> None:
    if transfers.empty:
        return
    rows = versions(world, [transfers["shipped_at"].to_numpy(), transfers["received_at"].to_numpy()])
    chosen = transfers.iloc[rows.thing]
    warehouses = world.warehouses["warehouse_id"]
    columns = {
        "transfer_id": coded("TR", rows.thing + 1),
        "from_warehouse_id": pick(warehouses, chosen["from_warehouse"].to_numpy()),
        "to_warehouse_id": pick(warehouses, chosen["to_warehouse"].to_numpy()),
        "sku_id": pick(world.skus["sku_id"], chosen["sku"].to_numpy()),
        "units": chosen["units"].to_numpy(),
        "shipped_at": chosen["shipped_at"].to_numpy(),
        "received_at": rows.shown(transfers["received_at"].to_numpy()),
        "cost_amount": chosen["cost_amount"].to_numpy(),
        "updated_at": rows.updated_at,
    }
    silos.write("erp", "stock_transfers", columns, rows.day)


def _write_invoices(world: World, silos: Silos, fulfilment: Fulfilment) -> None:
    invoices, lines = fulfilment.invoices.invoices, fulfilment.invoices.lines
    created = invoices["created_at"].to_numpy()
    number = np.flatnonzero(created < world.end)
    number = number[np.argsort(created[number], kind="stable")]
    chosen = invoices.iloc[number]
    suppliers = world.suppliers["supplier_id"]
    columns = {
        "invoice_id": coded("IV", number + 1),
        "supplier_id": pick(suppliers, chosen["supplier"].to_numpy()),
        "invoiced_date": world.dates(chosen["invoiced_day"].to_numpy()),
        "due_date": world.dates(chosen["due_day"].to_numpy()),
        "invoiced_amount": chosen["amount"].to_numpy(),
        "created_at": created[number],
    }
    silos.write("erp", "supplier_invoices", columns, world.day_of(created[number]))
    entered = created[lines["invoice"]]
    row = np.flatnonzero(entered < world.end)
    row = row[np.argsort(entered[row], kind="stable")]
    billed = lines.iloc[row]
    columns = {
        "invoice_line_id": coded("VL", row + 1),
        "invoice_id": coded("IV", billed["invoice"].to_numpy() + 1),
        "purchase_line_id": coded("PL", billed["line"].to_numpy() + 1),
        "sku_id": pick(world.skus["sku_id"], billed["sku"].to_numpy()),
        "invoiced_units": billed["units"].to_numpy(),
        "invoiced_amount": billed["amount"].to_numpy(),
        "created_at": entered[row],
    }
    silos.write("erp", "invoice_lines", columns, world.day_of(entered[row]))


def _write_payments(world: World, silos: Silos, fulfilment: Fulfilment) -> None:
    invoices, payments = fulfilment.invoices.invoices, fulfilment.invoices.payments
    paid = np.flatnonzero(payments["paid_at"].to_numpy() < world.end)
    done = payments.iloc[paid]
    columns = {
        "supplier_payment_id": coded("SPY", paid + 1),
        "invoice_id": coded("IV", done["invoice"].to_numpy() + 1),
        "supplier_id": pick(world.suppliers["supplier_id"], invoices["supplier"].to_numpy()[done["invoice"]]),
        "paid_amount": done["amount"].to_numpy(),
        "paid_at": done["paid_at"].to_numpy(),
    }
    silos.write("erp", "supplier_payments", columns, world.day_of(done["paid_at"].to_numpy()))


def _write_inventory(world: World, silos: Silos, fulfilment: Fulfilment) -> None:
    """The stock of SKUs that are on range, or of which there is still some."""
    skus, warehouses = len(world.skus), len(world.warehouses)
    launched = world.skus["launched_day"].to_numpy()
    ended = world.skus["delisted_day"].to_numpy()
    step = max(1, _INVENTORY_ROWS // (skus * warehouses))
    for start in range(0, world.days, step):
        day = np.arange(start, min(start + step, world.days))
        on_range = (launched <= day[:, None]) & ((ended < 0) | (ended > day[:, None]))
        stock, road = fulfilment.on_hand[day], fulfilment.in_transit[day]
        row, sku, warehouse = np.nonzero((stock > 0) | (road > 0) | on_range[:, :, None])
        columns = {
            "snapshot_date": world.dates(day)[row],
            "warehouse_id": pick(world.warehouses["warehouse_id"], warehouse),
            "sku_id": pick(world.skus["sku_id"], sku),
            "on_hand_units": stock[row, sku, warehouse],
            "locked_units": fulfilment.locked[day][row, sku, warehouse],
            "in_transit_units": road[row, sku, warehouse],
        }
        silos.write("erp", "inventory", columns, day[row])
