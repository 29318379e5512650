"""The simulated merchant as it really is: the ground on which every silo stands.

Conventions of the whole package:

- a *day* is an index from 0 (`first_date`) to `days` - 1 of the local calendar; days before the start are negative;
- an *instant* is numpy datetime64[s] in UTC; NaT where it did not happen;
- money is int64 in cents (fen), in columns that end in `_amount`;
- a column called by a thing (`sku`, `person`, `store` …) is the row position in that thing's DataFrame, -1 for none;
- every random number comes from `World.rng`, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from zhongtai.simulator.scales import Scale

# Mainland China keeps one clock without summer time: the local clock is UTC + 8 hours.
UTC_OFFSET = np.timedelta64(8 * 3600, "s")
DAY = np.timedelta64(1, "D")
HORIZON = 5_000  # a day after every simulated one: "never"


def stream(seed: int, *names: object) -> np.random.Generator:
    """A random stream that depends on the seed and the names alone."""
    text = "/".join([str(seed), *(str(name) for name in names)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


@dataclass
class World:
    """The merchant, its people, range, plans and calendar.

    Attributes:
        first_date: the local date of day 0, datetime64[D].
        calendar: a row a day: date, weekday (0 Monday), is_holiday, is_workday, promotion ('618', 'double_11' or ''),
            season (-1 midwinter … 1 midsummer), demand (factor of the day's demand).
        regions: region_id, province, city, macro_region, is_core_city, weight (adds up to 1).
        categories: category_id, parent_category_id, category_name, category_name_zh, category_level.
        products: product_id, product_name, category (row of categories), category_id, brand.
        skus: sku_id, product, product_id, category, category_id, supplier, supplier_id, sku_name, cost_amount,
            list_amount (both as at launch), launched_day, delisted_day (-1 none), tags, is_seasonal, is_presale,
            package_size, popularity (adds up to 1), is_bad (planted: poor quality), elasticity.
        sku_changes: sku, day, cost_amount, list_amount, status (presale, active, delisted); sorted by sku and day,
            the first row of a SKU is its launch; what holds from the start of that day.
        suppliers: supplier_id, supplier_name, is_core, supply_mode, region, quality (good, bad, changing),
            changes_day (of a changing one; else -1).
        warehouses: warehouse_id, warehouse_name, region, capacity_units, monthly_cost_amount.
        nearest_warehouse: for each region the warehouse that serves it.
        stores: store_id, store_name, store_kind (store, pop_up, pick_up), region, address, longitude, latitude,
            opened_day, closed_day (-1 none).
        carriers: carrier_id, carrier_name, quality (good, bad, changing), changes_day.
        campaigns: campaign_id, campaign_name, mechanics, campaign_type, budget_amount, threshold_amount,
            benefit_amount (-1 where the mechanics have none), start_day, end_day, channel, effect (good, bad), lift.
        campaign_skus: campaign, sku, planned_units, campaign_price_amount.
        contents: content_id, title, content_type, author_kind, platform, tags (JSON list), sku, published_day.
        live_sessions: live_session_id, host, title, start, end (instants), day.
        experiments: experiment_id, experiment_name, hypothesis, variants (JSON list of name and share), metric,
            start_day, end_day, effect (relative change of orders of the variant treatment), is_mismatched.
        assignments: experiment, identity (an account), variant, assigned_at, exposed_at; with the planted
            people in two variants and the planted sample-ratio mismatch. Sorted by assigned_at.
        groups: group_id, group_name, category, category_id, group_type, owner, created_day.
        persons: person_id, region, phone, email, unionid, name, gender, birth_year, activity, price_sensitivity,
            first_day, last_day (HORIZON: stays), family (whose phone it is), recycled_from (who had it before).
        identities: silo, kind (account, device, buyer, open_id, card, contact, member_card), source_id, person, phone
            (as the silo shows it: typed oddly, masked, or None), email, unionid, name, created_day, created_at,
            referrer (row of the account that invited this one, or -1), account (row of a device's account),
            platform (of a buyer: tmall or jd; of a device: ios, android, web or mini_program), channel. A member card
            (crm) and the card in stores are two rows with the same source_id. phone, email, unionid and name are
            final: write them as they are.
        truth: other planted truth, a DataFrame a file of truth/; any module adds its own.
    """

    scale: Scale
    seed: int
    first_date: np.datetime64
    calendar: pd.DataFrame
    regions: pd.DataFrame
    categories: pd.DataFrame = field(default_factory=pd.DataFrame)
    products: pd.DataFrame = field(default_factory=pd.DataFrame)
    skus: pd.DataFrame = field(default_factory=pd.DataFrame)
    sku_changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    suppliers: pd.DataFrame = field(default_factory=pd.DataFrame)
    warehouses: pd.DataFrame = field(default_factory=pd.DataFrame)
    nearest_warehouse: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    stores: pd.DataFrame = field(default_factory=pd.DataFrame)
    carriers: pd.DataFrame = field(default_factory=pd.DataFrame)
    campaigns: pd.DataFrame = field(default_factory=pd.DataFrame)
    campaign_skus: pd.DataFrame = field(default_factory=pd.DataFrame)
    contents: pd.DataFrame = field(default_factory=pd.DataFrame)
    live_sessions: pd.DataFrame = field(default_factory=pd.DataFrame)
    experiments: pd.DataFrame = field(default_factory=pd.DataFrame)
    assignments: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    persons: pd.DataFrame = field(default_factory=pd.DataFrame)
    identities: pd.DataFrame = field(default_factory=pd.DataFrame)
    truth: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Number of simulated days."""
        return self.scale.days

    @property
    def end(self) -> np.datetime64:
        """The instant after the last day: nothing is written that happens at or after it."""
        return np.datetime64(self.midnight(self.days).item(), "s")

    def rng(self, *names: object) -> np.random.Generator:
        """The random stream of that name; ask once for a name."""
        return stream(self.seed, self.scale.name, *names)

    def dates(self, day: np.ndarray | int) -> np.ndarray:
        """Local dates (datetime64[D]) of day indexes."""
        return self.first_date + np.asarray(day).astype("timedelta64[D]")

    def date_of(self, day: int) -> np.datetime64:
        """The local date of one day."""
        return np.datetime64(self.first_date + np.timedelta64(int(day), "D"), "D")

    def midnight(self, day: np.ndarray | int) -> np.ndarray:
        """The instants at which days begin."""
        return self.dates(day).astype("datetime64[s]") - UTC_OFFSET

    def at(self, day: np.ndarray | int, seconds: np.ndarray | float) -> np.ndarray:
        """The instant so many seconds after a day's local midnight."""
        return self.midnight(day) + np.asarray(seconds).astype("int64").astype("timedelta64[s]")

    def day_of(self, instant: np.ndarray) -> np.ndarray:
        """Day indexes (int64) of instants; undefined for NaT."""
        local = np.asarray(instant).astype("datetime64[s]") + UTC_OFFSET
        return (local.astype("datetime64[D]") - self.first_date).astype("int64")

    def running(self, weight: np.ndarray | float = 1.0) -> np.ndarray:
        """The weight of each campaign on the days on which it runs, else 0; shape (days, campaigns)."""
        day = np.arange(self.days)[:, None]
        start, end = self.campaigns["start_day"].to_numpy(), self.campaigns["end_day"].to_numpy()
        return np.where((start <= day) & (day <= end), weight, 0.0)

    def prices(self, sku: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cost and list price (cents) of SKUs on days; before the launch, those of the launch."""
        changes = self.sku_changes
        span = 4 * HORIZON
        places = changes["sku"].to_numpy() * span + changes["day"].to_numpy() + HORIZON
        wanted = np.asarray(sku).astype("int64") * span + np.asarray(day) + HORIZON
        first = np.searchsorted(changes["sku"].to_numpy(), sku, side="left")
        found = np.maximum(np.searchsorted(places, wanted, side="right") - 1, first)
        return changes["cost_amount"].to_numpy()[found], changes["list_amount"].to_numpy()[found]


def build_world(scale: Scale, seed: int) -> World:
    """Builds the merchant of a seed."""
    # The builders need this module's types.
    from zhongtai.simulator import catalogue, people, places, plans

    first_date = np.datetime64(scale.first_date, "D")
    world = World(scale, seed, first_date, places.calendar(scale), places.regions(seed))
    places.add_places(world)
    catalogue.add_catalogue(world)
    plans.add_plans(world)
    people.add_people(world)
    plans.add_experiments(world)
    return world
