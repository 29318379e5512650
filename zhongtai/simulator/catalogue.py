"""Range: categories, products, SKUs, suppliers and how prices changed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.world import HORIZON, World

# Category and Chinese name, then its leaves with Chinese name, typical price in yuan and season (1 summer, -1 winter).
_TREE: dict[tuple[str, str], list[tuple[str, str, float, int]]] = {
    ("Home", "家居"): [("Bedding", "床品", 269, -1), ("Lighting", "灯具", 159, 0), ("Storage", "收纳", 59, 0)],
    ("Kitchen", "厨房"): [("Cookware", "锅具", 199, 0), ("Tableware", "餐具", 79, 0), ("Cups", "杯壶", 69, 0)],
    ("Personal care", "个护"): [
        ("Skin care", "护肤", 139, 0),
        ("Sun care", "防晒", 89, 1),
        ("Oral care", "口腔", 39, 0),
    ],
    ("Apparel", "服饰"): [("T-shirts", "T恤", 99, 1), ("Knitwear", "针织", 229, -1), ("Socks", "袜子", 29, 0)],
    ("Food", "食品"): [("Tea", "茶叶", 119, 0), ("Snacks", "零食", 35, 0), ("Gift boxes", "礼盒", 188, -1)],
    ("Stationery", "文具"): [("Notebooks", "手账", 45, 0), ("Pens", "笔类", 25, 0), ("Bags", "包袋", 149, 0)],
}
_STYLES = ("青禾", "山野", "素白", "松间", "晨雾", "竹影", "云朵", "禾风", "初雪", "暖阳", "溪石", "木语")
_VARIANTS = ("小号", "中号", "大号", "米色", "灰色", "墨绿", "两件装", "限量")
_SEASONAL_LEAVES = ("Sun care", "Gift boxes")


def add_catalogue(world: World) -> None:
    """Adds categories, suppliers, products, SKUs and their changes."""
    world.categories = _categories()
    world.suppliers = _suppliers(world)
    world.products, world.skus = _products(world)
    world.sku_changes = _changes(world)


def _categories() -> pd.DataFrame:
    rows: list[tuple[str, str | None, str, str, int]] = []
    for top, ((name, name_zh), leaves) in enumerate(_TREE.items(), start=1):
        rows.append((f"C{top:02d}00", None, name, name_zh, 1))
        rows += [
            (f"C{top:02d}{leaf:02d}", f"C{top:02d}00", names[0], names[1], 2)
            for leaf, names in enumerate(leaves, start=1)
        ]
    names = ["category_id", "parent_category_id", "category_name", "category_name_zh", "category_level"]
    return pd.DataFrame(rows, columns=names)


def _suppliers(world: World) -> pd.DataFrame:
    rng = world.rng("suppliers")
    count = max(8, min(300, world.scale.skus // 25))
    quality = np.array(["good", "good", "good", "bad"], object)[rng.integers(0, 4, count)]
    quality[:2] = ["good", "bad"]
    drawn = world.rng("changing supplier")
    quality[drawn.integers(2, count)] = "changing"
    regions = rng.choice(len(world.regions), count, p=world.regions["weight"])
    cities = world.regions["city"].str.removesuffix("市").to_numpy()[regions]
    return pd.DataFrame(
        {
            "supplier_id": [f"SP{number:04d}" for number in range(1, count + 1)],
            "supplier_name": [
                f"{city}{word}实业{place}"
                for place, (city, word) in enumerate(zip(cities, rng.choice(_STYLES, count), strict=True), start=1)
            ],
            "is_core": np.arange(count) % 3 != 1,
            "supply_mode": np.array(["standard", "jit", "standard", "vmi"])[np.arange(count) % 4],
            "region": regions,
            "quality": quality,
            "changes_day": np.where(quality == "changing", int(world.days * drawn.uniform(0.4, 0.6)), -1),
        }
    )


def _products(world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Products (families of one to six SKUs) and SKUs with planted properties."""
    rng = world.rng("skus")
    count = world.scale.skus
    leaves = [leaf for branch in _TREE.values() for leaf in branch]
    leaf_rows = np.flatnonzero(world.categories["category_level"] == 2)
    sizes = rng.integers(1, 7, count)
    product = np.repeat(np.arange(count), sizes)[:count]
    families = int(product[-1]) + 1
    of_product = rng.permutation(np.arange(families) % len(leaves))
    style = rng.integers(0, len(_STYLES), families)
    products = pd.DataFrame(
        {
            "product_id": [f"P{number:06d}" for number in range(1, families + 1)],
            "product_name": [f"{_STYLES[s]}{leaves[leaf][1]}" for s, leaf in zip(style, of_product, strict=True)],
            "category": leaf_rows[of_product],
            "category_id": world.categories["category_id"].to_numpy()[leaf_rows[of_product]],
            "brand": np.where(rng.random(families) < 0.2, None, np.where(rng.random(families) < 0.7, "青禾", "禾作")),
        }
    )
    leaf = of_product[product]
    typical = np.array([one[2] for one in leaves])[leaf]
    family_price = typical[np.r_[True, np.diff(product) > 0]] * rng.lognormal(0, 0.3, families)
    # Chinese retail prices end in 9 or 9.9.
    price = np.maximum(9, np.round(family_price[product] * rng.uniform(0.9, 1.25, count) / 10) * 10 - 1)
    popularity = rng.lognormal(0, 1.25, count)
    popularity[rng.random(count) < 0.04] *= 0.01  # dead stock
    skus = pd.DataFrame(
        {
            "sku_id": [f"QH{number:06d}" for number in range(100_001, 100_001 + count)],
            "product": product,
            "product_id": products["product_id"].to_numpy()[product],
            "category": products["category"].to_numpy()[product],
            "category_id": products["category_id"].to_numpy()[product],
            "supplier": rng.permutation(families)[product] % len(world.suppliers),
            "sku_name": [
                f"{products['product_name'][p]} {_VARIANTS[v]}"
                for p, v in zip(product, rng.integers(0, len(_VARIANTS), count), strict=True)
            ],
            "cost_amount": np.round(price * rng.uniform(0.32, 0.62, count) * 100).astype(np.int64),
            "list_amount": (price * 100).astype(np.int64),
        }
    )
    skus.insert(6, "supplier_id", world.suppliers["supplier_id"].to_numpy()[skus["supplier"]])
    _add_life(world, skus, popularity, leaves, leaf, rng)
    return products, skus


def _add_life(
    world: World,
    skus: pd.DataFrame,
    popularity: np.ndarray,
    leaves: list[tuple[str, str, float, int]],
    leaf: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Adds when SKUs were sold, what they are, and how well they sell."""
    count = len(skus)
    launched = np.where(rng.random(count) < 0.8, -rng.integers(30, 900, count), rng.integers(0, world.days, count))
    skus["launched_day"] = launched
    ends = (rng.random(count) < 0.06) & (launched < world.days // 3)
    skus["delisted_day"] = np.where(ends, rng.integers(world.days // 2, world.days, count), -1)
    tags = np.array(["designer", "eco", "designer,eco", "handmade", "gift"], object)[rng.integers(0, 5, count)]
    skus["tags"] = np.where(rng.random(count) < 0.3, tags, None)
    skus["is_seasonal"] = np.isin(np.array([one[0] for one in leaves])[leaf], _SEASONAL_LEAVES)
    skus["is_presale"] = (rng.random(count) < 0.05) & (launched > 14)
    newest = np.argsort(launched)[-2:]
    skus.loc[newest, "is_presale"] = True
    size = np.array(["small", "medium", "large", "bulky"], object)[rng.choice(4, count, p=[0.5, 0.3, 0.15, 0.05])]
    skus["package_size"] = np.where(rng.random(count) < 0.1, None, size)
    skus["popularity"] = popularity / popularity.sum()
    bad = rng.random(count) < 0.06
    bad[np.argsort(popularity)[-max(2, count // 40) :][:2]] = True  # some that sell well, so that reviews show it
    skus["is_bad"] = bad
    skus["elasticity"] = rng.uniform(0.8, 2.4, count)
    skus["peak"] = np.array([one[3] for one in leaves])[leaf]
    world.truth["skus"] = skus[["sku_id", "popularity", "is_bad", "elasticity"]].copy()


def _changes(world: World) -> pd.DataFrame:
    """Launch, price changes, cost drift of one supplier, and delisting."""
    rng = world.rng("sku_changes")
    skus = world.skus
    count = len(skus)
    launch = skus["launched_day"].to_numpy()
    known = np.where(skus["is_presale"], launch - 14, launch)
    parts = [_change(np.arange(count), known, 1.0, 1.0)]
    presale = np.flatnonzero(skus["is_presale"])
    parts.append(_change(presale, launch[presale], 1.0, 1.0))
    for number in range(3):
        some = np.flatnonzero(rng.random(count) < (0.3, 0.12, 0.05)[number])
        days = rng.integers(1, world.days, len(some))
        parts.append(
            _change(some, days, rng.uniform(0.95, 1.08, len(some)), rng.choice([0.85, 0.9, 1.05, 1.1], len(some)))
        )
    drifting = np.flatnonzero(skus["supplier"] == 1)
    for day in range(30, world.days, 30):
        parts.append(_change(drifting, np.full(len(drifting), day), 1.02, 1.0))
    ended = np.flatnonzero(skus["delisted_day"] >= 0)
    parts.append(_change(ended, skus["delisted_day"].to_numpy()[ended], 1.0, 1.0))
    changes = pd.concat(parts, ignore_index=True)
    changes = changes[changes["day"] >= known[changes["sku"]]]
    changes = changes.groupby(["sku", "day"], as_index=False)[["cost", "list"]].prod()
    of_sku = changes.groupby("sku")[["cost", "list"]].cumprod()
    row = changes["sku"].to_numpy()
    changes["cost_amount"] = np.round(skus["cost_amount"].to_numpy()[row] * of_sku["cost"]).astype(np.int64)
    yuan = np.round(skus["list_amount"].to_numpy()[row] * of_sku["list"] / 100)
    changes["list_amount"] = (np.maximum(yuan, 5) * 100).astype(np.int64)
    ends = np.where(skus["delisted_day"] < 0, HORIZON, skus["delisted_day"])[row]
    status = np.where(changes["day"] < launch[row], "presale", "active")
    changes["status"] = np.where(changes["day"] >= ends, "delisted", status)
    return changes[["sku", "day", "cost_amount", "list_amount", "status"]]


def _change(sku: np.ndarray, day: np.ndarray, cost: float | np.ndarray, price: float | np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"sku": sku, "day": day, "cost": cost, "list": price})
