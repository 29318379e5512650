"""Parcels: which carrier takes them, when they are promised, and when they arrive, whatever the weather."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator import tracking
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lanes import MACRO_REGIONS, SERVICES, Lanes, build_lanes
from zhongtai.simulator.typing_habits import typed_places
from zhongtai.simulator.versions import chunks, versions
from zhongtai.simulator.weather import Weather, happens
from zhongtai.simulator.world import UTC_OFFSET, World

_NEVER = np.datetime64("NaT", "s")
_CHUNK_ROWS = 400_000
# Yuan of a parcel by service, and more for each tier of distance.
_COSTS, _TIER_COST = (26.0, 16.0, 11.0, 6.5, 4.0), 2.5
# Hours of a promise that a parcel of a carrier usually takes, and how far that scatters (lognormal).
_PACE = {"good": (0.7, 0.17), "bad": (0.76, 0.2)}
_WORSE_PACE = (0.95, 0.25)
# Hours that severe weather costs, by warning level: low, high.
_DELAYS = ((0, 0), (0, 1), (2, 10), (10, 36), (24, 72))
_INSTANT, _HALF_DAY, _NEXT_DAY, _STANDARD, _PICKUP = range(5)


def ship(world: World, orders: pd.DataFrame) -> pd.DataFrame:
    """How each order is delivered.

    Returns:
        A row an order, with its index: warehouse, carrier (row, -1), service (row of SERVICES, -1), promised_at,
        shipped_at, delivered_at (instants, NaT where they do not happen before the end), arrives_at (also after the
        end), weather_hours (lost to weather), cost_amount (cents). Store orders, and orders that are not paid or are
        cancelled, are not shipped.
    """
    rng = world.rng("shipping")
    weather, lanes = happens(world), build_lanes(world)
    paid = orders["paid_at"].to_numpy().astype("datetime64[s]")
    sent = (orders["silo"] != "stores").to_numpy() & ~np.isnat(paid) & np.isnat(orders["cancelled_at"].to_numpy())
    row = np.flatnonzero(sent)
    warehouse, region = orders["warehouse"].to_numpy()[row], orders["region"].to_numpy()[row]
    service = _services(world, orders.iloc[row], lanes, rng)
    carrier = lanes.carriers(warehouse, region, service, rng)
    shipped = _shipped(world, paid[row], warehouse, service, weather, rng)
    hours = lanes.promised(carrier, warehouse, region, service)
    factor = _pace(world, carrier, world.day_of(shipped), rng)
    lost = _weather_hours(world, weather, warehouse, region, shipped, rng)
    arrives = _by_day(shipped + _span(hours * factor + lost), rng)
    tier = lanes.tier[warehouse, lanes.macro[region]]
    cost = (np.array(_COSTS)[service] + _TIER_COST * tier) * rng.uniform(0.9, 1.2, len(row)) * 100
    values = {
        "carrier": (carrier, -1),
        "service": (service, -1),
        "promised_at": (shipped + _span(hours), _NEVER),
        "shipped_at": (shipped, _NEVER),
        "arrives_at": (arrives, _NEVER),
        "delivered_at": (np.where(arrives < world.end, arrives, _NEVER), _NEVER),
        "cost_amount": (np.round(cost).astype(np.int64), 0),
        "weather_hours": (lost, 0.0),
    }
    begun = shipped < world.end
    frame = pd.DataFrame({"warehouse": orders["warehouse"]}, index=orders.index)
    for name, (value, otherwise) in values.items():
        column = np.full(len(orders), otherwise)
        column[row[begun]] = value[begun]
        frame[name] = column
    return frame


def _services(world: World, orders: pd.DataFrame, lanes: Lanes, rng: np.random.Generator) -> np.ndarray:
    """The service of each order: the nearer the faster."""
    warehouse, region = orders["warehouse"].to_numpy(), orders["region"].to_numpy()
    home = world.warehouses["region"].to_numpy()[warehouse]
    core = world.regions["is_core_city"].to_numpy()[region]
    near = lanes.tier[warehouse, lanes.macro[region]] == 0
    draw = rng.random(len(orders))
    same_city = np.searchsorted(np.array([0.12, 0.45, 0.8]), draw)
    core_city = np.where(draw < 0.22, _HALF_DAY, np.where(draw < 0.68, _NEXT_DAY, _STANDARD))
    near_city = np.where(draw < 0.4, _NEXT_DAY, _STANDARD)
    chosen = np.select([home == region, near & core, near], [same_city, core_city, near_city], _STANDARD)
    return np.where(orders["pickup_store"].to_numpy() >= 0, _PICKUP, chosen)


def _shipped(
    world: World,
    paid: np.ndarray,
    warehouse: np.ndarray,
    service: np.ndarray,
    weather: Weather,
    rng: np.random.Generator,
) -> np.ndarray:
    """When each parcel leaves: fast services in the morning, the others with the lorry of the evening."""
    count = len(paid)
    day = world.day_of(paid)
    hour = (paid - world.midnight(day)).astype("int64") / 3600
    picking = rng.uniform(0.4, 1.2, count)
    at_once = np.clip(hour + picking, 8.5, 20)
    opens = np.where(hour > 19, 1, 0)
    morning, evening = rng.uniform(8, 10.5, count), rng.uniform(16, 20, count)
    early = np.isin(service, [_HALF_DAY, _PICKUP])
    late = np.where(early, hour > 7.5, hour > 15).astype(int)
    leaves = np.where(early, morning, evening)
    leaves = np.where(service == _INSTANT, np.where(opens == 1, 8.5 + picking, at_once), leaves)
    wait = np.where(service == _INSTANT, opens, late)
    # Great sales are packed for days, and nothing leaves a warehouse in a storm.
    busy = world.calendar["demand"].to_numpy()[np.minimum(day, world.days - 1)] > 2
    wait = wait + np.where(busy & (service >= _NEXT_DAY), rng.integers(0, 3, count), 0)
    leaving = np.minimum(day + wait, len(weather.level) - 1)
    severe = weather.level[leaving, world.warehouses["region"].to_numpy()[warehouse]]
    wait = wait + np.where((severe >= 3) & (service != _INSTANT), severe - 2, 0)
    return world.at(day + wait, leaves * 3600)


def _pace(world: World, carrier: np.ndarray, day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of the promised hours that each parcel takes; planted: a changing carrier gets worse."""
    quality = world.carriers["quality"].to_numpy()[carrier]
    changed = (quality == "changing") & (day >= world.carriers["changes_day"].to_numpy()[carrier])
    cases = [changed, quality == "bad"]
    middle = np.select(cases, [_WORSE_PACE[0], _PACE["bad"][0]], _PACE["good"][0])
    scatter = np.select(cases, [_WORSE_PACE[1], _PACE["bad"][1]], _PACE["good"][1])
    return middle * np.exp(scatter * rng.normal(0, 1, len(carrier)))


def _weather_hours(
    world: World,
    weather: Weather,
    warehouse: np.ndarray,
    region: np.ndarray,
    shipped: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Hours lost where there is a warning: at the origin on the day of leaving, at the destination that or the next."""
    day = np.minimum(world.day_of(shipped), len(weather.level) - 2)
    origin = world.warehouses["region"].to_numpy()[warehouse]
    ahead = np.maximum(weather.level[day, region], weather.level[day + 1, region])
    level = np.maximum(weather.level[day, origin], ahead)
    low, high = np.array(_DELAYS, float)[level].T
    return low + rng.random(len(level)) * (high - low)


def _by_day(instant: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Instants moved into the hours in which couriers ring: 8 to 22 o'clock."""
    local = instant + UTC_OFFSET
    midnight = local.astype("datetime64[D]").astype("datetime64[s]")
    hour = (local - midnight).astype("int64") / 3600
    morning = midnight + _span(rng.uniform(8, 9.5, len(instant))) + np.where(hour >= 22, 86_400, 0).astype("m8[s]")
    return np.where((hour < 8) | (hour >= 22), morning, local) - UTC_OFFSET


def _span(hours: np.ndarray) -> np.ndarray:
    return np.round(hours * 3600).astype("int64").astype("timedelta64[s]")


def write(world: World, silos: Silos, orders: pd.DataFrame, shipping: pd.DataFrame) -> None:
    """Writes carriers, agreements, parcels and their scans, two files a day."""
    lanes = build_lanes(world)
    _write_carriers(world, silos)
    _write_agreements(world, silos, lanes)
    sent = np.flatnonzero(~np.isnat(shipping["shipped_at"].to_numpy()))
    parcels = shipping.iloc[sent].reset_index(drop=True)
    origin = orders.iloc[sent].reset_index(drop=True)
    _write_shipments(world, silos, origin, parcels)
    tracking.write(world, silos, origin, parcels, lanes)


def _write_carriers(world: World, silos: Silos) -> None:
    carriers = world.carriers
    day = np.zeros(len(carriers), int)
    columns = {name: carriers[name] for name in ("carrier_id", "carrier_name")}
    silos.write("logistics", "carriers", {**columns, "updated_at": world.midnight(day)}, day, label="month")
    changes = carriers["changes_day"].to_numpy()
    dates = np.where(changes >= 0, world.dates(np.maximum(changes, 0)), np.datetime64("NaT", "D"))
    world.truth["carriers"] = pd.DataFrame(
        {
            "carrier_id": carriers["carrier_id"],
            "quality": carriers["quality"],
            "changes_date": dates.astype("datetime64[s]"),
        }
    )


def _write_agreements(world: World, silos: Silos, lanes: Lanes) -> None:
    """Agreements of every lane; in the middle of the period they are made anew, with another penalty."""
    carrier, warehouse, macro, service = lanes.served()
    count = len(carrier)
    middle = world.days // 2
    fine = np.array([1_500, 1_000, 600, 300, 200])[service]
    start, old_end = world.date_of(-180), world.date_of(middle - 1)
    open_ = np.full(count, np.datetime64("NaT", "D"))
    row = np.tile(np.arange(count), 3)
    day = np.repeat([0, middle, middle], count)
    columns = {
        "agreement_id": coded("AG", np.r_[np.arange(count), np.arange(count), count + np.arange(count)] + 1, 6),
        "carrier_id": pick(world.carriers["carrier_id"], carrier[row]),
        "warehouse_id": pick(world.warehouses["warehouse_id"], warehouse[row]),
        "destination_macro_region": pick(MACRO_REGIONS, macro[row]),
        "service": pick(SERVICES, service[row]),
        "promised_hours": lanes.hours[carrier, warehouse, macro, service][row],
        "penalty_amount": np.r_[fine, fine, fine * 12 // 10],
        "valid_from": np.repeat(np.array([start, start, world.date_of(middle)]), count),
        "valid_to": np.r_[open_, np.full(count, old_end), open_],
        "updated_at": world.midnight(day),
    }
    silos.write("logistics", "carrier_agreements", columns, day)


def _write_shipments(world: World, silos: Silos, orders: pd.DataFrame, parcels: pd.DataFrame) -> None:
    rng = world.rng("labels")
    rows = versions(world, [parcels["shipped_at"].to_numpy(), parcels["delivered_at"].to_numpy()], half_days=True)
    province, city = typed_places(world, orders["region"].to_numpy(), rng, 0.03)
    for part in chunks(rows.day, _CHUNK_ROWS):
        thing = rows.thing[part]
        delivered = parcels["delivered_at"].to_numpy()[thing]
        columns = {
            "shipment_id": coded("SH", thing + 1),
            "order_silo": np.asarray(orders["silo"])[thing],
            "order_id": orders["order_id"].to_numpy()[thing],
            "warehouse_id": pick(world.warehouses["warehouse_id"], parcels["warehouse"].to_numpy()[thing]),
            "carrier_id": pick(world.carriers["carrier_id"], parcels["carrier"].to_numpy()[thing]),
            "service": pick(SERVICES, parcels["service"].to_numpy()[thing]),
            "destination_province": province.take(thing),
            "destination_city": city.take(thing),
            "promised_at": parcels["promised_at"].to_numpy()[thing],
            "shipped_at": parcels["shipped_at"].to_numpy()[thing],
            "delivered_at": np.where(rows.stage[part] == 1, delivered, _NEVER),
            "cost_amount": parcels["cost_amount"].to_numpy()[thing],
            "updated_at": rows.updated_at[part],
        }
        templates = np.char.add("{}_", rows.halves[part])
        silos.write("logistics", "shipments", columns, rows.day[part], label="day", parts=templates)
