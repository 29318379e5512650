"""The ERP's master data: a full first file, then files of the periods with changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.planning import KNOWN_BEFORE
from zhongtai.simulator.purchasing import Terms
from zhongtai.simulator.world import World

_SKU_COLUMNS = ("sku_id", "product_id", "sku_name", "supplier_id", "tags", "is_seasonal", "is_presale", "package_size")
_TYPED_EMPTY = 0.2
_SECOND_SOURCE_RATE = 0.08
_ENDED_RATE, _AGREED_AGAIN_RATE = 0.3, 0.5
_CANDIDATE_CITIES = ("杭州市", "郑州市", "沈阳市", "重庆市", "长沙市", "厦门市", "济南市", "昆明市")


def write(world: World, silos: Silos, terms: Terms) -> None:
    """Writes categories, products, SKUs, suppliers, their terms, warehouses and places for more."""
    _write_catalogue(world, silos)
    _write_skus(world, silos)
    _write_suppliers(world, silos)
    _write_terms(world, silos, terms)
    _write_warehouses(world, silos)


def known_days(world: World) -> np.ndarray:
    """The day on which each SKU is entered into the ERP, at the earliest the first."""
    return np.maximum(world.skus["launched_day"].to_numpy() - KNOWN_BEFORE, 0)


def _write_catalogue(world: World, silos: Silos) -> None:
    categories = world.categories
    columns = {name: categories[name] for name in categories.columns if name != "category"}
    day = np.zeros(len(categories), int)
    silos.write("erp", "categories", {**columns, "updated_at": world.midnight(day)}, day)
    products = world.products
    first = np.full(len(products), world.days)
    np.minimum.at(first, world.skus["product"].to_numpy(), known_days(world))
    row = np.flatnonzero(first < world.days)
    row = row[np.argsort(first[row], kind="stable")]
    shown = {name: products[name].to_numpy()[row] for name in ("product_id", "product_name", "category_id", "brand")}
    silos.write("erp", "products", {**shown, "updated_at": world.midnight(first[row])}, first[row])


def _write_skus(world: World, silos: Silos) -> None:
    """A row a SKU and change; before its launch a SKU has the status presale."""
    skus, changes = world.skus, world.sku_changes
    known = known_days(world)
    sku = changes["sku"].to_numpy()
    first = np.flatnonzero(np.r_[True, sku[1:] != sku[:-1]])
    entered = changes.iloc[first].assign(day=known[sku[first]])
    entered = entered[changes["day"].to_numpy()[first] > entered["day"].to_numpy()].assign(status="presale")
    rows = pd.concat([entered, changes.assign(day=np.maximum(changes["day"], 0))], ignore_index=True)
    # Several changes before the first day leave one row: the last.
    rows = rows.drop_duplicates(["sku", "day"], keep="last")
    rows = rows[rows["day"] < world.days].sort_values(["day", "sku"], kind="stable")
    row, day = rows["sku"].to_numpy(), rows["day"].to_numpy()
    columns = {
        name: skus[name].to_numpy()[row]
        for name in (
            "sku_id",
            "product_id",
            "sku_name",
            "supplier_id",
            "tags",
            "is_seasonal",
            "is_presale",
            "package_size",
        )
    }
    columns |= {name: rows[name].to_numpy() for name in ("cost_amount", "list_amount", "status")}
    columns["launched_date"] = world.dates(skus["launched_day"].to_numpy()[row])
    columns["updated_at"] = world.midnight(day)
    silos.write("erp", "skus", columns, day)


def _write_suppliers(world: World, silos: Silos) -> None:
    """All suppliers on the first day; where the place was left open, some fill it in later."""
    rng = world.rng("suppliers file")
    suppliers = world.suppliers
    count = len(suppliers)
    empty = rng.random(count) < _TYPED_EMPTY
    filled = np.flatnonzero(empty & (rng.random(count) < 0.5))
    row = np.r_[np.arange(count), filled]
    day = np.r_[np.zeros(count, int), rng.integers(min(7, world.days - 1), world.days, len(filled))]
    region = np.where(np.arange(len(row)) < count, np.where(empty[row], -1, suppliers["region"].to_numpy()[row]), 0)
    region[count:] = suppliers["region"].to_numpy()[filled]
    columns = {
        name: suppliers[name].to_numpy()[row] for name in ("supplier_id", "supplier_name", "is_core", "supply_mode")
    }
    columns["province"] = pick(world.regions["province"], region)
    columns["city"] = pick(world.regions["city"], region)
    silos.write("erp", "suppliers", {**columns, "updated_at": world.at(day, np.where(day > 0, 10 * 3600, 0))}, day)


def _write_terms(world: World, silos: Silos, terms: Terms) -> None:
    """Terms of each SKU's supplier whenever its cost or what was agreed changes, and of second sources."""
    rows = pd.concat([_main_terms(world), _second_sources(world)], ignore_index=True)
    rows = _renegotiated(rows, terms)
    rows = rows[rows["day"] < world.days].sort_values("day", kind="stable")
    sku, supplier, day = (rows[name].to_numpy() for name in ("sku", "supplier", "day"))
    columns = {
        "supplier_id": pick(world.suppliers["supplier_id"], supplier),
        "sku_id": pick(world.skus["sku_id"], sku),
        "lead_time_days": terms.lead_days_on(supplier, day),
        "minimum_order_units": terms.minimum_units[sku],
        "price_amount": rows["cost_amount"].to_numpy(),
        "response_hours": terms.response_hours_on(supplier, day),
        "is_ended": rows["is_ended"].to_numpy(),
        "updated_at": world.midnight(day),
    }
    silos.write("erp", "supplier_terms", columns, day)


def _main_terms(world: World) -> pd.DataFrame:
    """A row a SKU and cost: sku, supplier, day, cost_amount, is_ended."""
    changes, known = world.sku_changes, known_days(world)
    main = changes.assign(day=np.maximum(changes["day"], known[changes["sku"]]))
    first = np.r_[True, np.diff(main["sku"]) > 0]
    main.loc[first, "day"] = known[main["sku"].to_numpy()[first]]
    dearer = np.r_[True, np.diff(main["cost_amount"]) != 0]
    main = main[first | dearer].drop_duplicates(["sku", "day"], keep="last")
    main["supplier"] = world.skus["supplier"].to_numpy()[main["sku"]]
    return main[["sku", "supplier", "day", "cost_amount"]].assign(is_ended=False)


def _second_sources(world: World) -> pd.DataFrame:
    """Rows like `_main_terms` of SKUs that another supplier delivers too; some stop, and some of those come back."""
    rng = world.rng("terms file")
    skus, known = world.skus, known_days(world)
    second = np.flatnonzero(rng.random(len(skus)) < _SECOND_SOURCE_RATE)
    other = (skus["supplier"].to_numpy()[second] + rng.integers(1, len(world.suppliers), len(second))) % len(
        world.suppliers
    )
    price = np.round(skus["cost_amount"].to_numpy()[second] * rng.uniform(0.97, 1.15, len(second))).astype(np.int64)
    begun = pd.DataFrame(
        {"sku": second, "supplier": other, "day": known[second], "cost_amount": price, "is_ended": False}
    )
    rng = world.rng("ended terms")
    # Early ones, so that the end and what comes after it lie within the period.
    early = rng.permutation(np.flatnonzero(begun["day"] < world.days // 3))
    ended = begun.iloc[early[: max(2, round(len(early) * _ENDED_RATE))]].assign(is_ended=True)
    ended["day"] += rng.integers(7, world.days // 2, len(ended))
    again = ended.iloc[: round(len(ended) * _AGREED_AGAIN_RATE)].assign(is_ended=False)
    again["day"] += rng.integers(5, world.days // 6, len(again))
    return pd.concat([begun, ended, again], ignore_index=True)


def _renegotiated(rows: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """The rows, with one more for whatever a supplier delivers on the day from which it agreed to something else."""
    before = rows[rows["day"].to_numpy() <= terms.changed_day[rows["supplier"]]]
    last = before.sort_values("day", kind="stable").drop_duplicates(["sku", "supplier"], keep="last")
    last = last[~last["is_ended"]]
    anew = last.assign(day=terms.changed_day[last["supplier"]])
    return pd.concat([rows, anew], ignore_index=True).drop_duplicates(["sku", "supplier", "day"])


def _write_warehouses(world: World, silos: Silos) -> None:
    """Warehouses, of which one is enlarged, and candidates whose rent is asked anew now and then."""
    rng = world.rng("warehouses file")
    warehouses = world.warehouses
    count = len(warehouses)
    row = np.r_[np.arange(count), count - 1]
    day = np.r_[np.zeros(count, int), int(world.days * 0.45)]
    larger = np.r_[np.ones(count), 1.25]
    columns = {name: warehouses[name].to_numpy()[row] for name in ("warehouse_id", "warehouse_name")}
    region = warehouses["region"].to_numpy()[row]
    columns |= {name: pick(world.regions[name], region) for name in ("province", "city", "macro_region")}
    columns["capacity_units"] = (warehouses["capacity_units"].to_numpy()[row] * larger).astype(np.int64)
    columns["monthly_cost_amount"] = (warehouses["monthly_cost_amount"].to_numpy()[row] * larger).astype(np.int64)
    silos.write("erp", "warehouses", {**columns, "updated_at": world.midnight(day)}, day)
    cities = world.regions["city"].to_numpy()
    place = np.array([int(np.flatnonzero(cities == city)[0]) for city in _CANDIDATE_CITIES if city in set(cities)])
    later = np.flatnonzero(rng.random(len(place)) < 0.5)
    row = np.r_[np.arange(len(place)), later]
    day = np.r_[np.zeros(len(place), int), rng.integers(min(20, world.days - 1), world.days, len(later))]
    order = np.argsort(day, kind="stable")
    row, day = row[order], day[order]
    rent = rng.integers(50_000, 140_000, len(place))[row] * np.where(day > 0, 105, 100)
    columns = {name: pick(world.regions[name], place[row]) for name in ("province", "city", "macro_region")}
    columns |= {
        "warehouse_candidate_id": coded("WC", row + 1, 3),
        "capacity_units": (world.scale.orders // rng.integers(2, 6, len(place)) + 1_000)[row],
        "monthly_cost_amount": rent,
        "updated_at": world.midnight(day),
    }
    silos.write("erp", "warehouse_candidates", columns, day)
