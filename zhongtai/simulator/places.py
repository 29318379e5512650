"""Calendar, cities, warehouses, stores and carriers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.settings import PROJECT_ROOT
from zhongtai.simulator.scales import Scale
from zhongtai.simulator.world import HORIZON, World, stream

_SEEDS = PROJECT_ROOT / "transform" / "seeds"
_WAREHOUSE_CITIES = ("上海市", "广州市", "成都市", "北京市", "武汉市", "西安市")
_CARRIERS = ("顺丰速运", "京东物流", "中通快递", "圆通速递", "极兔速递")
# The first, which carries the fastest parcels, is good; which other one is what is drawn.
_QUALITIES = ("good", "good", "changing", "bad", "bad")
_CHANGE = (0.5, 0.65)  # what changes, does so after a share of the period between these


def calendar(scale: Scale) -> pd.DataFrame:
    """The days with holidays, the windows of the great sales and the factor of demand (mean about 1)."""
    first = np.datetime64(scale.first_date, "D")
    dates = first + np.arange(scale.days)
    holidays = pd.read_csv(_SEEDS / "holidays.csv", parse_dates=["holiday_date"])
    date = pd.Series(dates.astype("datetime64[ns]"))
    is_holiday = date.isin(holidays.loc[holidays["is_public_holiday"], "holiday_date"]).to_numpy()
    is_makeup = date.isin(holidays.loc[holidays["is_makeup_workday"], "holiday_date"]).to_numpy()
    weekday = (dates.astype("int64") + 3) % 7
    month, of_month = date.dt.month.to_numpy(), date.dt.day.to_numpy()
    double_11 = (month == 11) & (of_month <= 12) | (month == 10) & (of_month >= 24)
    is_618 = (month == 6) & (of_month <= 20)
    season = -np.cos(2 * np.pi * (date.dt.dayofyear.to_numpy() - 20) / 365.25)
    week = np.array([0.94, 0.93, 0.97, 0.96, 1.02, 1.12, 1.10])[weekday]
    sale = np.where(double_11, 1.5, 1.0) * np.where(is_618, 1.35, 1.0)
    sale *= np.where((month == 11) & (of_month == 11), 2.6, 1.0) * np.where((month == 6) & (of_month == 18), 2.2, 1.0)
    # The days before a great sale wait for it, and the days after have bought already.
    sale *= np.where((month == 10) & (of_month.clip(17) == of_month) & (of_month < 24), 0.85, 1.0)
    sale *= np.where((month == 11) & (of_month > 12) & (of_month <= 19), 0.8, 1.0)
    trend = np.linspace(0.85, 1.15, scale.days)
    demand = trend * week * sale * np.where(is_holiday, 0.92, 1.0) * (1 + 0.06 * season)
    return pd.DataFrame(
        {
            "date": dates.astype("datetime64[s]"),
            "weekday": weekday,
            "is_holiday": is_holiday,
            "is_workday": ((weekday < 5) & ~is_holiday) | is_makeup,
            "promotion": np.select([double_11, is_618], ["double_11", "618"], ""),
            "season": season,
            "demand": demand / demand.mean(),
        }
    )


def regions(seed: int) -> pd.DataFrame:
    """The cities of the platform's seed, with the share of people who live there."""
    frame = pd.read_csv(_SEEDS / "regions.csv", dtype={"region_id": str})
    weight = np.where(frame["is_core_city"], 4.0, 1.0) * stream(seed, "regions").lognormal(0, 0.35, len(frame))
    weight *= np.where(frame["macro_region"].isin(["华东", "华南"]), 1.4, 1.0)
    frame["weight"] = weight / weight.sum()
    return frame


def add_places(world: World) -> None:
    """Adds warehouses, the warehouse that serves each city, stores and carriers."""
    world.warehouses = _warehouses(world)
    macro = world.regions["macro_region"].to_numpy()
    of_warehouse = macro[world.warehouses["region"].to_numpy()]
    near = {
        "华北": ("华北", "华东", "西北"),
        "东北": ("华北", "华东"),
        "华东": ("华东",),
        "华中": ("华中", "华东"),
        "华南": ("华南",),
        "西南": ("西南", "华南"),
        "西北": ("西北", "西南", "华北"),
    }
    served = {
        region: next((int(np.argmax(of_warehouse == place)) for place in places if place in of_warehouse), 0)
        for region, places in near.items()
    }
    world.nearest_warehouse = np.array([served[region] for region in macro])
    world.stores = _stores(world)
    count = min(len(_CARRIERS), 2 + world.scale.warehouses)
    rng = world.rng("carrier qualities")
    quality = np.array([_QUALITIES[0], *rng.permutation(_QUALITIES[1:count])], object)
    world.carriers = pd.DataFrame(
        {
            "carrier_id": [f"CR{number:03d}" for number in range(1, count + 1)],
            "carrier_name": _CARRIERS[:count],
            "quality": quality,
            "changes_day": np.where(quality == "changing", int(world.days * rng.uniform(*_CHANGE)), -1),
        }
    )


def _warehouses(world: World) -> pd.DataFrame:
    rng = world.rng("warehouses")
    count = world.scale.warehouses
    cities = world.regions["city"]
    rows = [int(np.flatnonzero(cities == city)[0]) for city in _WAREHOUSE_CITIES[:count]]
    units = world.scale.orders * 2 // count
    return pd.DataFrame(
        {
            "warehouse_id": [f"WH{number:02d}" for number in range(1, count + 1)],
            "warehouse_name": [f"{world.regions['city'][row].removesuffix('市')}仓" for row in rows],
            "region": rows,
            "capacity_units": (units * rng.uniform(0.6, 1.1, count)).astype(int) // 100 * 100 + 2_000,
            "monthly_cost_amount": (rng.uniform(60_000, 180_000, count)).astype(int) * 100,
        }
    )


def _stores(world: World) -> pd.DataFrame:
    rng = world.rng("stores")
    count = world.scale.stores
    core = np.flatnonzero(world.regions["is_core_city"])
    region = core[np.arange(count) % len(core)] if count > len(core) else rng.permutation(core)[:count]
    kind = np.array(["store", "store", "pick_up", "pop_up"])[np.arange(count) % 4]
    opened = np.where(kind == "pop_up", int(world.days * 0.3), -rng.integers(100, 900, count))
    closed = np.where(kind == "pop_up", int(world.days * 0.75), -1)
    names = world.regions["city"].str.removesuffix("市").to_numpy()[region]
    word = {"store": "门店", "pop_up": "快闪店", "pick_up": "自提点"}
    return pd.DataFrame(
        {
            "store_id": [f"ST{number:03d}" for number in range(1, count + 1)],
            "store_name": [
                f"青禾{name}{word[one]}{place}"
                for name, one, place in zip(names, kind, range(1, count + 1), strict=True)
            ],
            "store_kind": kind,
            "region": region,
            "address": [f"中山路{number}号" if number % 5 else None for number in rng.integers(1, 900, count)],
            "longitude": np.round(rng.uniform(104, 121, count), 6),
            "latitude": np.round(rng.uniform(22, 40, count), 6),
            "opened_day": np.minimum(opened, HORIZON),
            "closed_day": closed,
        }
    )
