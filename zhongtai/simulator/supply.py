"""Stock, day by day: what arrives, what is promised and leaves, what is ordered and moved.

A *cell* is a SKU in a warehouse: sku × number of warehouses + warehouse. Every step works on all cells at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from zhongtai.simulator.invoices import Invoices, invoice
from zhongtai.simulator.planning import Planner
from zhongtai.simulator.purchasing import Buyer, Columns, Parts, Terms, agree
from zhongtai.simulator.transfers import Moved, Mover
from zhongtai.simulator.world import World

_LATE_SHARE = 0.35  # of the units sold on a day, those that leave on the next


@dataclass
class Fulfilment:
    """What found stock, and all that moved.

    Attributes:
        kept: whether each wanted line found stock, aligned with `wanted`.
        opening: units before day 0, shape (SKUs, warehouses).
        on_hand: units at the end of each day, locked ones included, shape (days, SKUs, warehouses), int32.
        locked: units promised to lines that leave on the next day, same shape.
        in_transit: units on their way from suppliers and other warehouses, same shape.
        terms: what was agreed with suppliers.
        orders: supplier, warehouse, supply_mode, triggered_at, created_at, confirmed_at, shipped_at, cancelled_at
            (instants, NaT); an order is called by its position.
        lines: line (as the position), order, sku, units, price_amount (cents a unit), promised_day.
        deliveries: line, shipped_units, accepted_units, rejected_units, shipped_at, received_at; only real ones.
        transfers: from_warehouse, to_warehouse, sku, units, shipped_at, received_at, cost_amount.
        invoices: invoices, their lines and payments.
    """

    kept: np.ndarray
    opening: np.ndarray
    on_hand: np.ndarray
    locked: np.ndarray
    in_transit: np.ndarray
    terms: Terms
    orders: pd.DataFrame
    lines: pd.DataFrame
    deliveries: pd.DataFrame
    transfers: pd.DataFrame
    invoices: Invoices


@dataclass
class _Agenda:
    """What will change in cells on a day to come: lists of (cells, units) a day."""

    cells: int
    changes: dict[int, list[tuple[np.ndarray, np.ndarray]]] = field(default_factory=dict)

    def add(self, days: np.ndarray, cell: np.ndarray, units: np.ndarray) -> None:
        """Notes changes."""
        order = np.argsort(days, kind="stable")
        bounds = np.flatnonzero(np.r_[True, np.diff(days[order]) > 0]) if len(days) else np.zeros(0, int)
        for rows in np.split(order, bounds[1:]):
            if len(rows):
                self.changes.setdefault(int(days[rows[0]]), []).append((cell[rows], units[rows]))

    def take(self, day: int) -> np.ndarray:
        """The change of each cell on that day."""
        total = np.zeros(self.cells, np.int64)
        for cell, units in self.changes.pop(day, ()):
            np.add.at(total, cell, units)
        return total


@dataclass
class _Stock:
    """What lies in every cell, what is on its way, and what will change when.

    Attributes:
        available: units that are promised to nobody.
        on_order: units ordered, or on their way from another warehouse.
        transit: units on their way.
    """

    available: np.ndarray
    on_order: np.ndarray
    transit: np.ndarray
    arriving: _Agenda
    settled: _Agenda
    on_road: _Agenda

    @classmethod
    def opened(cls, opening: np.ndarray) -> _Stock:
        """The stock before the first day."""
        cells = len(opening)
        on_order, transit = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
        return cls(opening.astype(np.int64), on_order, transit, _Agenda(cells), _Agenda(cells), _Agenda(cells))

    def move(self, moved: Moved) -> None:
        """Takes transfers out, and notes when they arrive."""
        self.available -= moved.leaving(len(self.available))
        self.on_order += moved.entering(len(self.available))
        self.arriving.add(moved.received_day, moved.to_cell, moved.units)
        self.settled.add(moved.received_day, moved.to_cell, moved.units)
        self._travel(moved.shipped_day, moved.received_day, moved.to_cell, moved.units)

    def expect(self, today: int, cell: np.ndarray, units: np.ndarray, parts: Parts) -> None:
        """Notes when units that were ordered today ship, arrive and stop being on order."""
        self.on_order[cell] += units
        # A day's arrivals are over when its orders are placed, so the earliest arrival is the next morning.
        received = np.maximum(parts.received_day, today + 1)
        self.arriving.add(received, parts.cell, parts.accepted_units)
        self.settled.add(received, parts.cell, parts.share_units)
        self._travel(parts.shipped_day, received, parts.cell, parts.shipped_units)

    def _travel(self, shipped: np.ndarray, received: np.ndarray, cell: np.ndarray, units: np.ndarray) -> None:
        self.on_road.add(shipped, cell, units)
        self.on_road.add(received, cell, -units)


def fulfil(world: World, wanted: pd.DataFrame) -> Fulfilment:
    """Serves wanted lines in their order while stock lasts, and keeps the warehouses stocked.

    Args:
        wanted: a row a line: day, sku, warehouse (row positions), units.
    """
    terms = agree(world)
    planner, buyer, mover = Planner(world, terms), Buyer(world, terms, world.rng("purchases")), Mover(world)
    warehouses = len(world.warehouses)
    cells = len(world.skus) * warehouses
    day = wanted["day"].to_numpy().astype(np.int64)
    cell = wanted["sku"].to_numpy().astype(np.int64) * warehouses + wanted["warehouse"].to_numpy()
    units = wanted["units"].to_numpy().astype(np.int64)
    late = world.rng("picking").random(len(wanted)) < _LATE_SHARE
    order = np.argsort(day * cells + cell, kind="stable")
    bounds = np.searchsorted(day[order], np.arange(world.days + 1))
    kept = np.zeros(len(wanted), bool)
    book = np.zeros((3, world.days, cells), np.int32)
    stock = _Stock.opened(planner.opening)
    for today in range(world.days):
        rows = order[bounds[today] : bounds[today + 1]]
        stock.available += stock.arriving.take(today)
        stock.on_order -= stock.settled.take(today)
        kept[rows] = serve(cell[rows], units[rows], stock.available)
        sold, waiting = rows[kept[rows]], rows[kept[rows] & late[rows]]
        stocked, taken = stock.available > 0, _sums(cell[sold], units[sold], cells)
        stock.available -= taken
        planner.learn(today, taken, stocked)
        stock.move(mover.move(today, stock.available, stock.on_order, planner.rate))
        bought, amount = planner.orders(today, stock.available + stock.on_order)
        if len(bought):
            stock.expect(today, bought, amount, buyer.place(today, bought, amount))
        stock.transit += stock.on_road.take(today)
        locked = _sums(cell[waiting], units[waiting], cells)
        book[:, today] = stock.available + locked, locked, stock.transit
    on_hand, locked, in_transit = book.reshape(3, world.days, len(world.skus), warehouses)
    orders, lines, deliveries = _papers(buyer)
    bills = invoice(world, terms, orders, lines, deliveries)
    opening = planner.opening.reshape(-1, warehouses)
    papers = (terms, orders, lines, deliveries, mover.transfers(), bills)
    return Fulfilment(kept, opening, on_hand, locked, in_transit, *papers)


def _sums(cell: np.ndarray, units: np.ndarray, cells: int) -> np.ndarray:
    """Units of every cell."""
    return np.bincount(cell, weights=units, minlength=cells).astype(np.int64)


def serve(cell: np.ndarray, units: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Which lines find stock, first come first served; what a large line leaves over goes to smaller ones.

    Args:
        cell: of each line, sorted; within a cell in the order of service.
        units: of each line.
        available: units of every cell.
    """
    served = np.zeros(len(cell), bool)
    left = available[cell].copy()
    open_ = np.arange(len(cell))
    while len(open_ := open_[units[open_] <= left[open_]]):
        # The first line of each cell fits, so that every round decides at least these.
        running = np.cumsum(units[open_])
        first = np.r_[True, cell[open_][1:] != cell[open_][:-1]]
        before = (running - units[open_])[first]
        fits = running - before[np.cumsum(first) - 1] <= left[open_]
        served[open_[fits]] = True
        taken = np.bincount(cell[open_[fits]], weights=units[open_[fits]], minlength=len(available)).astype(np.int64)
        left -= taken[cell]
        open_ = open_[~fits]
    return served


def _papers(buyer: Buyer) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Orders, lines and real deliveries of the whole period; deliveries by the time of their receipt."""
    orders = _joined(buyer.orders).drop(columns=["road_hours", "short_rate", "reject_rate"])
    deliveries = _joined(buyer.parts)
    deliveries = deliveries[deliveries["shipped_units"] > 0].drop(columns=["share_units"])
    return orders, _joined(buyer.lines), deliveries.sort_values("received_at", kind="stable", ignore_index=True)


def _joined(parts: list[Columns]) -> pd.DataFrame:
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
