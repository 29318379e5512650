"""What is agreed with suppliers, and what becomes of each purchase order: slips, short deliveries, rejects."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from zhongtai.simulator.world import HORIZON, World

Columns = dict[str, np.ndarray]
NEVER = np.datetime64("NaT", "s")
# Local hours at which warehouses take goods in.
_DOCK_OPENS, _DOCK_CLOSES = 8, 20
# What a supplier of a quality does: factor of answers, factor of preparation, and the rates of slips, of short
# deliveries and of units that are turned down.
_TRAITS = {"good": (1.0, 1.0, 0.03, 0.02, 0.003), "bad": (2.6, 1.7, 0.24, 0.16, 0.03)}
# Hours from the trigger to the order, and of preparation, by mode: low, high; of a core supplier and of others.
_ORDER_HOURS = {"standard": (1.0, 14.0), "jit": (0.2, 2.0), "vmi": (0.1, 1.0)}
_CORE_PREPARATION_HOURS = {"standard": (7.0, 17.0), "jit": (4.0, 11.0), "vmi": (5.0, 13.0)}
_PREPARATION_HOURS = {"standard": (30.0, 110.0), "jit": (12.0, 44.0), "vmi": (10.0, 30.0)}
_CANCELLED_RATE = 0.012
_RENEGOTIATED_RATE = 0.05


@dataclass
class Terms:
    """What is agreed.

    Attributes:
        lead_days: agreed days from order to receipt, by supplier.
        response_hours: agreed hours to confirm, by supplier.
        minimum_units: least order of each SKU, from its main supplier.
        payment_days: days from an invoice until it is due, by supplier.
        changed_day: from when other days and hours are agreed, by supplier; HORIZON where they stay.
        changed_lead_days, changed_response_hours: what is agreed from then on.
    """

    lead_days: np.ndarray
    response_hours: np.ndarray
    minimum_units: np.ndarray
    payment_days: np.ndarray
    changed_day: np.ndarray
    changed_lead_days: np.ndarray
    changed_response_hours: np.ndarray

    def lead_days_on(self, supplier: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The agreed lead time of each supplier on a day, shapes alike."""
        changed = day >= self.changed_day[supplier]
        return np.where(changed, self.changed_lead_days[supplier], self.lead_days[supplier])

    def response_hours_on(self, supplier: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The agreed hours to confirm of each supplier on a day, shapes alike."""
        changed = day >= self.changed_day[supplier]
        return np.where(changed, self.changed_response_hours[supplier], self.response_hours[supplier])


def agree(world: World) -> Terms:
    """The terms of a merchant's suppliers."""
    rng = world.rng("terms")
    core = world.suppliers["is_core"].to_numpy()
    standard = world.suppliers["supply_mode"].to_numpy() == "standard"
    count = len(core)
    lead = np.where(core, 2, np.where(standard, rng.integers(6, 9, count), rng.integers(4, 6, count)))
    a_year = world.skus["popularity"].to_numpy() * world.scale.orders * 2 * 365 / world.days
    tenth = a_year / len(world.warehouses) * rng.uniform(0.04, 0.12, len(a_year))
    changed_day, more_days = _renegotiated(world)
    hours = np.where(core, 8.0, 24.0)
    return Terms(
        lead_days=lead,
        response_hours=hours,
        minimum_units=np.maximum(rng.choice([1, 2, 3, 5], len(a_year)), np.round(tenth)).astype(np.int64),
        payment_days=rng.choice([30, 45, 60], count),
        changed_day=changed_day,
        changed_lead_days=lead + more_days,
        changed_response_hours=hours * np.select([more_days < 0, more_days > 0], [0.5, 2.0], 1.0),
    )


def _renegotiated(world: World) -> tuple[np.ndarray, np.ndarray]:
    """From which day a few suppliers that are not core deliver and answer slower or faster, and by how many days."""
    rng = world.rng("renegotiations")
    count = len(world.suppliers)
    others = rng.permutation(np.flatnonzero(~world.suppliers["is_core"].to_numpy()))
    chosen = others[: max(1, round(count * _RENEGOTIATED_RATE))]
    day, more = np.full(count, HORIZON), np.zeros(count, np.int64)
    day[chosen] = rng.integers(world.days // 4, world.days * 3 // 4, len(chosen))
    more[chosen] = rng.choice([-2, -1, 1, 2], len(chosen))
    world.truth["renegotiated_terms"] = pd.DataFrame(
        {
            "supplier_id": world.suppliers["supplier_id"].to_numpy()[chosen],
            "changed_date": world.dates(day[chosen]).astype("datetime64[s]"),
            "more_lead_days": more[chosen],
        }
    )
    return day, more


@dataclass
class Parts:
    """The deliveries of a day's orders: one a line, or two where the rest comes later.

    Attributes:
        share_units: ordered units that the delivery settles; the rest of a short line is given up.
        shipped_day, received_day: day indexes, HORIZON where they never come.
    """

    cell: np.ndarray
    share_units: np.ndarray
    shipped_units: np.ndarray
    accepted_units: np.ndarray
    shipped_day: np.ndarray
    received_day: np.ndarray


@dataclass
class Buyer:
    """Places orders and keeps the papers.

    A *cell* is sku × number of warehouses + warehouse.
    """

    world: World
    terms: Terms
    rng: np.random.Generator
    orders: list[Columns] = field(default_factory=list)
    lines: list[Columns] = field(default_factory=list)
    parts: list[Columns] = field(default_factory=list)
    order_count: int = 0
    line_count: int = 0

    def place(self, day: int, cell: np.ndarray, units: np.ndarray) -> Parts:
        """Orders units for cells at the end of a day: an order a supplier and warehouse.

        Args:
            cell: each cell once.
            units: how many, shape as `cell`, all positive.
        """
        world, warehouses = self.world, len(self.world.warehouses)
        sku, warehouse = cell // warehouses, cell % warehouses
        supplier = world.skus["supplier"].to_numpy()[sku]
        keys, order = np.unique(supplier * warehouses + warehouse, return_inverse=True)
        orders = self._times(day, keys // warehouses, keys % warehouses)
        line = self.line_count + np.arange(len(cell))
        created = world.day_of(orders["created_at"])
        self.lines.append(
            {
                "line": line,
                "order": self.order_count + order,
                "sku": sku,
                "units": units,
                "price_amount": world.prices(sku, np.full(len(sku), day))[0],
                "promised_day": (created + self.terms.lead_days_on(keys // warehouses, created))[order],
            }
        )
        parts = self._deliveries(orders, order, line, units)
        self.orders.append(orders)
        self.parts.append(parts)
        cells = cell[parts["line"] - self.line_count]
        self.order_count += len(keys)
        self.line_count += len(line)
        return Parts(
            cells,
            parts["share_units"],
            parts["shipped_units"],
            parts["accepted_units"],
            self._days(parts["shipped_at"]),
            self._days(parts["received_at"]),
        )

    def _days(self, instants: np.ndarray) -> np.ndarray:
        known = np.where(np.isnat(instants), self.world.end, instants)
        return np.where(np.isnat(instants), HORIZON, self.world.day_of(known))

    def _traits(self, supplier: np.ndarray, day: int) -> np.ndarray:
        """Traits of each supplier on a day, shape (suppliers, 5): a changing one is bad from its day on."""
        quality = self.world.suppliers["quality"].to_numpy()[supplier]
        changed = (quality == "changing") & (self.world.suppliers["changes_day"].to_numpy()[supplier] <= day)
        bad = (quality == "bad") | changed
        return np.where(bad[:, None], np.array(_TRAITS["bad"]), np.array(_TRAITS["good"]))

    def _times(self, day: int, supplier: np.ndarray, warehouse: np.ndarray) -> Columns:
        """Instants of a day's orders: triggered, created, confirmed, shipped, cancelled, and hours on the road."""
        rng, count = self.rng, len(supplier)
        suppliers, regions = self.world.suppliers, self.world.regions["macro_region"].to_numpy()
        core = suppliers["is_core"].to_numpy()[supplier]
        mode = suppliers["supply_mode"].to_numpy()[supplier]
        traits = self._traits(supplier, day)
        triggered = self.world.at(day, rng.integers(18 * 3600, 23 * 3600, count))
        created = triggered + _hours(_between(_ORDER_HOURS, mode, rng) * np.where(core, 0.4, 1.0))
        confirms = np.where(core, 2.5, 8.0) * traits[:, 0] * rng.gamma(2, 0.5, count) + 0.2
        confirmed = created + _hours(confirms)
        prepares = np.where(
            core,
            _between(_CORE_PREPARATION_HOURS, mode, rng),
            _between(_PREPARATION_HOURS, mode, rng),
        )
        slips = np.where(rng.random(count) < traits[:, 2], rng.uniform(36, 220, count), 0)
        shipped = confirmed + _hours(prepares * traits[:, 1] + slips)
        cancelled = rng.random(count) < np.where(core, 0, _CANCELLED_RATE)
        near = regions[suppliers["region"].to_numpy()[supplier]] == regions[self.world.warehouses["region"]][warehouse]
        road = np.where(near, rng.uniform(5, 13, count), rng.uniform(11, 26, count)) + np.where(core, 0, 14)
        return {
            "supplier": supplier,
            "warehouse": warehouse,
            "supply_mode": mode,
            "triggered_at": triggered,
            "created_at": created,
            "confirmed_at": np.where(cancelled, NEVER, confirmed),
            "shipped_at": np.where(cancelled, NEVER, shipped),
            "cancelled_at": np.where(cancelled, confirmed + _hours(rng.uniform(12, 60, count)), NEVER),
            "road_hours": road,
            "short_rate": traits[:, 3],
            "reject_rate": traits[:, 4],
        }

    def _deliveries(self, orders: Columns, order: np.ndarray, line: np.ndarray, units: np.ndarray) -> Columns:
        """Deliveries of lines. A cancelled order has one without units, on the day on which it was called off."""
        rng, count = self.rng, len(line)
        of_line = {name: values[order] for name, values in orders.items()}
        cancelled = ~np.isnat(of_line["cancelled_at"])
        short = (rng.random(count) < of_line["short_rate"]) & (units > 1) & ~cancelled
        first = np.where(short, np.maximum(1, np.floor(units * rng.uniform(0.4, 0.95, count))), units).astype(np.int64)
        later = short & (rng.random(count) < 0.7)
        rows = np.r_[np.arange(count), np.flatnonzero(later)]
        is_rest = np.arange(len(rows)) >= count
        rest = units[rows] - first[rows]
        shipped_units = np.where(cancelled[rows], 0, np.where(is_rest, rest, first[rows]))
        wait = np.where(is_rest, rng.uniform(60, 200, len(rows)), 0)
        shipped_at = of_line["shipped_at"][rows] + _hours(wait)
        received_at = self._docked(shipped_at + _hours(of_line["road_hours"][rows]))
        rejected = rng.binomial(shipped_units, of_line["reject_rate"][rows])
        return {
            "line": line[rows],
            "share_units": np.where(is_rest, rest, units[rows] - np.where(later[rows], rest, 0)),
            "shipped_units": shipped_units,
            "accepted_units": shipped_units - rejected,
            "rejected_units": rejected,
            "shipped_at": shipped_at,
            "received_at": np.where(cancelled[rows], of_line["cancelled_at"][rows], received_at),
        }

    def _docked(self, instant: np.ndarray) -> np.ndarray:
        """The instants moved into the hours at which warehouses take goods in."""
        known = np.where(np.isnat(instant), self.world.end, instant)
        midnight = self.world.midnight(self.world.day_of(known))
        hour = (known - midnight).astype("int64") / 3600
        opens = _hours(np.full(len(instant), float(_DOCK_OPENS)) + hour / 12)
        next_day = midnight + np.timedelta64(1, "D") + opens
        moved = np.select([hour < _DOCK_OPENS, hour >= _DOCK_CLOSES], [midnight + opens, next_day], known)
        return np.where(np.isnat(instant), NEVER, moved)


def _between(bounds: dict[str, tuple[float, float]], mode: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A number a row between the bounds of its mode."""
    low = np.select([mode == name for name in bounds], [float(low) for low, _ in bounds.values()], 0.0)
    high = np.select([mode == name for name in bounds], [float(high) for _, high in bounds.values()], 0.0)
    return low + rng.random(len(mode)) * (high - low)


def _hours(hours: np.ndarray) -> np.ndarray:
    return np.round(np.asarray(hours) * 3600).astype("int64").astype("timedelta64[s]")
