"""Scans of parcels on their way."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lanes import Lanes
from zhongtai.simulator.versions import chunks
from zhongtai.simulator.world import UTC_OFFSET, World

_STATUS = np.array(["picked_up", "in_transit", "exception", "out_for_delivery", "delivered"], object)
_PICKED_UP, _IN_TRANSIT, _EXCEPTION, _OUT, _DELIVERED = range(5)
_CHUNK_ROWS = 500_000
_EMPTY_RATE = 0.1


def write(world: World, silos: Silos, orders: pd.DataFrame, parcels: pd.DataFrame, lanes: Lanes) -> None:
    """Writes the scans of parcels, by time.

    Args:
        orders: of each parcel.
        parcels: as logistics.ship gives them, shipped ones only.
    """
    parcel, stage, instant = _scans(world, orders, parcels, lanes)
    region = orders["region"].to_numpy()[parcel]
    home = world.warehouses["region"].to_numpy()[parcels["warehouse"].to_numpy()[parcel]]
    city = np.where(stage == _PICKED_UP, home, region)
    rng = world.rng("scans file")
    empty = rng.random(len(parcel)) < _EMPTY_RATE
    hubs = world.regions["city"].str.removesuffix("市").to_numpy() + "转运中心"
    points = world.regions["city"].str.removesuffix("市").to_numpy() + "营业点"
    facilities = np.r_[hubs, points]
    place = np.where(np.isin(stage, [_OUT, _DELIVERED]), len(hubs) + city, city)
    day = world.day_of(instant)
    second = (instant + UTC_OFFSET).astype("int64") % 86_400
    templates = np.where(second < 43_200, "{}_am", "{}_pm")
    for part in chunks(day, _CHUNK_ROWS):
        columns = {
            "tracking_event_id": coded("TE", np.arange(part.start, part.stop) + 1, 9),
            "shipment_id": coded("SH", parcel[part] + 1),
            "tracked_at": instant[part],
            "status": pick(_STATUS, stage[part]),
            "city": pick(world.regions["city"], np.where(empty[part], -1, city[part])),
            "facility": pick(facilities, np.where(stage[part] == _EXCEPTION, -1, place[part])),
        }
        silos.write("logistics", "tracking_events", columns, day[part], label="day", parts=templates[part])


def _scans(
    world: World, orders: pd.DataFrame, parcels: pd.DataFrame, lanes: Lanes
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parcel, stage and instant of every scan before the end, by time."""
    rng = world.rng("scans")
    count = len(parcels)
    shipped = parcels["shipped_at"].to_numpy().astype("datetime64[s]")
    whole = (parcels["arrives_at"].to_numpy().astype("datetime64[s]") - shipped).astype("int64")
    late = parcels["arrives_at"].to_numpy() > parcels["promised_at"].to_numpy()
    troubled = ((parcels["weather_hours"].to_numpy() >= 10) | late) & (rng.random(count) < 0.7)
    far = lanes.tier[parcels["warehouse"].to_numpy(), lanes.macro[orders["region"].to_numpy()]] > 0
    stages = [
        (_PICKED_UP, np.arange(count), np.zeros(count)),
        (_IN_TRANSIT, np.arange(count), rng.uniform(0.15, 0.35, count)),
        (_IN_TRANSIT, np.flatnonzero(far), rng.uniform(0.4, 0.5, count)),
        (_EXCEPTION, np.flatnonzero(troubled), rng.uniform(0.52, 0.6, count)),
        (_IN_TRANSIT, np.arange(count), rng.uniform(0.62, 0.78, count)),
        (_OUT, np.arange(count), rng.uniform(0.86, 0.95, count)),
        (_DELIVERED, np.arange(count), np.ones(count)),
    ]
    parcel = np.concatenate([rows for _, rows, _ in stages])
    stage = np.concatenate([np.full(len(rows), number, np.int8) for number, rows, _ in stages])
    share = np.concatenate([shares[rows] for _, rows, shares in stages])
    instant = shipped[parcel] + (whole[parcel] * share).astype("int64").astype("timedelta64[s]")
    order = np.argsort(instant, kind="stable")
    order = order[instant[order] < world.end]
    return parcel[order], stage[order], instant[order]
