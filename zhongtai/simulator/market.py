"""What is known of the market: trends of categories, competitors' listings, offers of suppliers, benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.lanes import MACRO_REGIONS
from zhongtai.simulator.world import World

_SOURCES = ("行业报告", "搜索指数")
_HISTORY_MONTHS = 12
_MATCHED_SHARE, _MOST_MATCHED = 0.3, 1_500
_COMPETITORS = ("良木家", "朴素生活", "北岸", "一米工坊", "清和集", "远山良品", "小满铺子", "无印记")
_PLATFORMS = np.array(["tmall", "jd", "douyin"], object)
_CHUNK_DAYS = 60
_WORDS = ("新款", "升级款", "联名款", "轻便款", "礼赠款")


def write(world: World, silos: Silos) -> None:
    """Writes every table of the market."""
    _write_trends(world, silos)
    offers = _candidates(world)
    _write_candidates(world, silos, offers)
    _write_listings(world, silos, offers)
    _write_benchmarks(world, silos)


def _leaves(world: World) -> np.ndarray:
    return np.flatnonzero(world.categories["category_level"] == 2)


def _months(world: World) -> tuple[np.ndarray, np.ndarray]:
    """The first dates of the period's months, and the first simulated day of each."""
    dates = world.dates(np.arange(world.days)).astype("datetime64[M]")
    months, first = np.unique(dates, return_index=True)
    return months, first


def _write_trends(world: World, silos: Silos) -> None:
    """Index and growth by month and source; planted: one category clearly grows, one falls.

    The first workbook also holds the year before the period.
    """
    rng = world.rng("trends")
    leaves = _leaves(world)
    months, first = _months(world)
    every = months[0] - np.arange(2 * _HISTORY_MONTHS, 0, -1)
    every = np.r_[every, months]
    a_year = rng.normal(0.03, 0.06, len(leaves))
    growing, falling = rng.choice(len(leaves), 2, replace=False)
    a_year[growing], a_year[falling] = rng.uniform(0.35, 0.5), -rng.uniform(0.25, 0.35)
    age = np.arange(len(every))[:, None] / 12
    season = 1 + 0.15 * np.sin(2 * np.pi * ((every.astype(int) % 12)[:, None] / 12 + rng.random(len(leaves))))
    level = (1 + a_year) ** age * season * rng.lognormal(0, 0.02, (len(every), len(leaves)))
    level *= 100 / level[_HISTORY_MONTHS : 2 * _HISTORY_MONTHS].mean(axis=0)
    shown = np.arange(_HISTORY_MONTHS, len(every))
    sources = np.arange(len(_SOURCES))
    month, leaf, source = (part.ravel() for part in np.meshgrid(shown, np.arange(len(leaves)), sources, indexing="ij"))
    noise = rng.lognormal(0, np.array([0.01, 0.04])[source])
    growth = level[month, leaf] / level[month - _HISTORY_MONTHS, leaf] - 1 + rng.normal(0, 0.01, len(month))
    columns = {
        "category_id": pick(world.categories["category_id"], leaves[leaf]),
        "trend_month": every[month].astype("datetime64[D]"),
        "trend_index": np.round(level[month, leaf] * noise, 2),
        "growth_rate": np.where(rng.random(len(month)) < 0.02, np.nan, np.round(growth, 4)),
        "source": np.array(_SOURCES, object)[source],
    }
    silos.write("market", "category_trends", columns, first[np.maximum(month - 2 * _HISTORY_MONTHS, 0)], label="month")
    kind = np.where(np.arange(len(leaves)) == growing, "growing", "steady").astype(object)
    kind[falling] = "falling"
    ids = world.categories["category_id"].to_numpy()[leaves]
    world.truth["market_trends"] = pd.DataFrame({"category_id": ids, "growth_a_year": a_year, "kind": kind})


def _candidates(world: World) -> pd.DataFrame:
    """Offers: category, supplier, day, cost and target (cents); the most expensive to make are the bad ones."""
    rng = world.rng("candidates")
    count = max(12, world.scale.skus // 40) * max(1, world.days // 30)
    leaves = _leaves(world)
    like = rng.integers(0, len(world.skus), count)
    target = world.skus["list_amount"].to_numpy()[like] * rng.uniform(0.8, 1.3, count)
    target = np.maximum(np.round(target / 1_000) * 1_000 - 100, 900).astype(np.int64)
    category = np.where(
        rng.random(count) < 0.7, world.skus["category"].to_numpy()[like], leaves[rng.integers(0, len(leaves), count)]
    )
    return pd.DataFrame(
        {
            "category": category,
            "supplier": rng.integers(0, len(world.suppliers), count),
            "day": np.sort(rng.integers(0, world.days, count)),
            "word": rng.integers(0, len(_WORDS), count),
            "cost_amount": np.round(target * rng.uniform(0.28, 0.78, count)).astype(np.int64),
            "target_amount": target,
        }
    )


def _write_candidates(world: World, silos: Silos, offers: pd.DataFrame) -> None:
    """A workbook a month with what was offered; a tenth comes again later, at a lower cost."""
    rng = world.rng("candidates file")
    count = len(offers)
    again = np.flatnonzero(rng.random(count) < 0.1)
    later = offers["day"].to_numpy()[again] + rng.integers(20, 60, len(again))
    again, later = again[later < world.days], later[later < world.days]
    row = np.r_[np.arange(count), again]
    day = np.r_[offers["day"].to_numpy(), later]
    factor = np.r_[np.full(count, 100), np.full(len(again), 94)]
    names = world.categories["category_name_zh"].to_numpy()[offers["category"]]
    words = np.array(_WORDS, object)[offers["word"]]
    order = np.argsort(day, kind="stable")
    row, day, factor = row[order], day[order], factor[order]
    columns = {
        "candidate_id": coded("SC", row + 1, 6),
        "candidate_name": (names + words)[row],
        "category_id": pick(world.categories["category_id"], offers["category"].to_numpy()[row]),
        "supplier_id": pick(world.suppliers["supplier_id"], offers["supplier"].to_numpy()[row]),
        "cost_amount": offers["cost_amount"].to_numpy()[row] * factor // 100,
        "target_amount": offers["target_amount"].to_numpy()[row],
        "offered_date": world.dates(day),
    }
    silos.write("market", "selection_candidates", columns, day, label="month")


def _write_listings(world: World, silos: Silos, offers: pd.DataFrame) -> None:
    """Daily prices of competitors' listings that look like our SKUs, or like candidates."""
    rng = world.rng("listings")
    skus = world.skus
    weight = skus["popularity"].to_numpy() ** 0.5
    matched = min(int(len(skus) * _MATCHED_SHARE), _MOST_MATCHED)
    ours = rng.choice(len(skus), matched, replace=False, p=weight / weight.sum())
    sku = np.repeat(ours, rng.integers(1, 4, matched))
    theirs = rng.choice(len(offers), max(3, len(offers) // 5), replace=False)
    sku = np.r_[sku, np.full(len(theirs), -1)]
    candidate = np.r_[np.full(len(sku) - len(theirs), -1), theirs]
    count = len(sku)
    base = np.where(sku >= 0, skus["list_amount"].to_numpy()[sku], offers["target_amount"].to_numpy()[candidate])
    score = np.round(rng.uniform(0.5, 1.0, count), 3)
    # The less alike, the less the price tells.
    level = np.exp(rng.normal(-0.03, 0.06 + 0.25 * (1 - score)))
    begins = np.where(rng.random(count) < 0.7, 0, rng.integers(0, world.days, count))
    begins = np.maximum(begins, np.where(candidate >= 0, offers["day"].to_numpy()[candidate], 0))
    platform, rival = rng.integers(0, 3, count), rng.integers(0, len(_COMPETITORS), count)
    drift = np.cumsum(rng.normal(0, 0.02, (world.days, count)) * (rng.random((world.days, count)) < 0.08), axis=0)
    sale = np.where(world.calendar["promotion"].to_numpy() != "", 0.88, 1.0)[:, None]
    demand = world.calendar["demand"].to_numpy()[:, None]
    pace = rng.lognormal(2.2, 1.2, count)
    price = np.maximum(np.round(base * level * np.exp(drift) * sale / 10) * 10, 100).astype(np.int64)
    sold = rng.poisson(pace * demand * (level * sale) ** -1.5)
    for start in range(0, world.days, _CHUNK_DAYS):
        days = np.arange(start, min(start + _CHUNK_DAYS, world.days))
        seen = (begins <= days[:, None]) & (rng.random((len(days), count)) > 0.02)
        row, listing = np.nonzero(seen)
        day = days[row]
        unknown = rng.random(len(row)) < 0.2
        columns = {
            "listing_id": coded("LS", listing + 1, 7),
            "listed_date": world.dates(day),
            "sku_id": pick(skus["sku_id"], sku[listing]),
            "candidate_id": coded("SC", np.where(candidate[listing] >= 0, candidate[listing] + 1, -1), 6),
            "platform": _PLATFORMS[platform[listing]],
            "competitor": np.array(_COMPETITORS, object)[rival[listing]],
            "match_score": score[listing],
            "price_amount": price[day, listing],
            "units_sold": np.where(unknown, np.nan, sold[day, listing]),
        }
        silos.write("market", "competitor_listings", columns, day, label="day")


def _write_benchmarks(world: World, silos: Silos) -> None:
    """Turnover, margin and sell-through of the industry by category, macro-region and month."""
    rng = world.rng("benchmarks")
    leaves = _leaves(world)
    months, first = _months(world)
    month, leaf, macro = (
        part.ravel()
        for part in np.meshgrid(
            np.arange(len(months)), np.arange(len(leaves)), np.arange(len(MACRO_REGIONS)), indexing="ij"
        )
    )
    turns, margin, sells = (
        rng.uniform(low, high, len(leaves)) for low, high in ((4.0, 9.0), (0.35, 0.55), (0.2, 0.45))
    )
    regional = rng.normal(1, 0.06, len(MACRO_REGIONS))
    count = len(month)
    columns = {
        "category_id": pick(world.categories["category_id"], leaves[leaf]),
        "macro_region": MACRO_REGIONS[macro],
        "benchmark_month": months[month].astype("datetime64[D]"),
        "turnover_rate": np.round(turns[leaf] * regional[macro] * rng.normal(1, 0.04, count), 2),
        "gross_margin_rate": np.round(np.clip(margin[leaf] + rng.normal(0, 0.01, count), 0, 1), 4),
        "sell_through_rate": np.where(
            rng.random(count) < 0.1, np.nan, np.round(np.clip(sells[leaf] + rng.normal(0, 0.03, count), 0, 1), 4)
        ),
    }
    silos.write("market", "industry_benchmarks", columns, first[month], label="month")
