"""What the merchant plans: campaigns, content, live sessions, groups and experiments."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from zhongtai.simulator.world import World

_MECHANICS = ("spend_and_save", "discount", "gift", "coupon")
_WORDS = {
    "618": "618年中大促",
    "double_11": "双11狂欢",
    "member_day": "会员日",
    "new_product": "新品首发",
    "clearance": "清仓特惠",
    "always_on": "日常投放",
}
_CAMPAIGN_CHANNELS = ("ads", "search_engine", "xiaohongshu", "douyin", "wecom", "group", "sms", "mini_program")
_HOSTS = ("禾禾", "小青", "阿木", "青禾官方")
_EXPERIMENTS = (
    # name, hypothesis, the two variants
    ("满减与赠品对复购的影响", "赠品比满减更能留住用户", ("spend_and_save", "gift")),
    ("商品详情页新版式", "新版式提高下单率", ("control", "treatment")),
    ("加购后发券", "加购后发券提高下单率", ("control", "treatment")),
)
# Relative change of orders in the second variant, from and to: none, a small and a large one; which has which is drawn.
_EFFECTS = ((0.0, 0.0), (0.12, 0.18), (0.27, 0.33))


def add_plans(world: World) -> None:
    """Adds campaigns with their SKUs, content, live sessions and groups."""
    world.campaigns = _campaigns(world)
    world.campaign_skus = _campaign_skus(world)
    world.contents = _contents(world)
    world.live_sessions = _live_sessions(world)
    world.groups = _groups(world)
    world.truth["campaigns"] = world.campaigns[["campaign_id", "effect", "lift"]].copy()


def _windows(world: World) -> list[tuple[str, int, int]]:
    """Type, first and last day of each campaign."""
    promotion = world.calendar["promotion"].to_numpy()
    edges = np.flatnonzero(np.r_[True, promotion[1:] != promotion[:-1]])
    stops = np.r_[edges[1:], world.days] - 1
    great = [(str(promotion[a]), int(a), int(b)) for a, b in zip(edges, stops, strict=True) if promotion[a]]
    windows = [window for window in great for _ in range(3)]
    rng = world.rng("campaigns", "windows")
    wednesdays = np.flatnonzero(world.calendar["weekday"] == 2)
    kinds = ("member_day", "new_product", "always_on", "clearance", "member_day", "always_on")
    number = 0
    while len(windows) < world.scale.campaigns:
        kind = kinds[number % len(kinds)]
        if kind == "member_day":
            start = int(rng.choice(wednesdays))
            windows.append((kind, start, start))
        else:
            start = int(rng.integers(0, max(1, world.days - 10)))
            windows.append((kind, start, min(start + int(rng.integers(6, 28)), world.days - 1)))
        number += 1
    return sorted(windows, key=lambda window: window[1])


def _campaigns(world: World) -> pd.DataFrame:
    rng = world.rng("campaigns")
    windows = _windows(world)
    count = len(windows)
    mechanics = np.array(_MECHANICS, object)[(np.arange(count) + rng.integers(0, 4)) % 4]
    threshold = rng.choice([19_900, 29_900, 39_900], count)
    has_threshold = np.isin(mechanics, ["spend_and_save", "coupon"])
    effect = np.where(rng.random(count) < 0.65, "good", "bad")
    effect[:2] = ["good", "bad"]
    lengths = np.array([stop - start + 1 for _, start, stop in windows])
    size = world.scale.orders / world.days * lengths
    channel = np.array(_CAMPAIGN_CHANNELS, object)[(np.arange(count) * 3 + rng.integers(0, 8)) % 8]
    return pd.DataFrame(
        {
            "campaign_id": [f"CP{number:05d}" for number in range(1, count + 1)],
            "campaign_name": [f"{_WORDS[window[0]]}{place}期" for place, window in enumerate(windows, start=1)],
            "mechanics": mechanics,
            "campaign_type": [window[0] for window in windows],
            "budget_amount": (size * rng.uniform(10, 40, count)).astype(np.int64) * 100 + 50_000,
            "threshold_amount": np.where(has_threshold, threshold, -1),
            "benefit_amount": np.where(has_threshold, threshold * rng.choice([0.1, 0.15, 0.2], count), -1).astype(int),
            "start_day": [window[1] for window in windows],
            "end_day": [window[2] for window in windows],
            "channel": channel,
            "effect": effect,
            "lift": np.where(effect == "good", rng.uniform(1.5, 2.2, count), rng.uniform(0.98, 1.05, count)),
        }
    )


def _campaign_skus(world: World) -> pd.DataFrame:
    """The SKUs of each campaign; plans follow popularity, and some are far too bold."""
    rng = world.rng("campaign_skus")
    skus, campaigns = world.skus, world.campaigns
    popularity = skus["popularity"].to_numpy()
    launched = skus["launched_day"].to_numpy()
    ended = np.where(skus["delisted_day"] < 0, world.days, skus["delisted_day"])
    frames = []
    for row, campaign in enumerate(campaigns.itertuples()):
        share = 0.3 if campaign.campaign_type in ("618", "double_11") else 0.08
        weight = popularity**0.5 * ((launched <= campaign.start_day) & (ended > campaign.end_day))
        if campaign.campaign_type == "new_product":
            weight = weight * np.where(launched > campaign.start_day - 60, 20.0, 1.0)
        if campaign.campaign_type == "clearance":
            weight = (weight > 0) / (popularity + 1e-6)
        size = min(int(len(skus) * share) + 2, 400, int((weight > 0).sum()))
        chosen = np.sort(rng.choice(len(skus), size, replace=False, p=weight / weight.sum()))
        days = campaign.end_day - campaign.start_day + 1
        demand = popularity[chosen] * world.scale.orders * 1.9 / world.days * days * campaign.lift
        bold = np.where(rng.random(size) < 0.1, 6.0, 1.0)
        price = world.prices(chosen, np.full(size, campaign.start_day))[1]
        off = rng.choice([0.7, 0.8, 0.85, 0.9], size) if campaign.mechanics == "discount" else np.ones(size)
        planned = np.ceil(demand * bold * rng.uniform(0.8, 1.4, size)).astype(np.int64) + 1
        cut = np.round(price * off / 100).astype(np.int64) * 100
        frames.append(
            pd.DataFrame({"campaign": row, "sku": chosen, "planned_units": planned, "campaign_price_amount": cut})
        )
    return pd.concat(frames, ignore_index=True)


def _contents(world: World) -> pd.DataFrame:
    rng = world.rng("contents")
    count = world.scale.contents
    sku = np.where(rng.random(count) < 0.2, -1, rng.choice(len(world.skus), count, p=world.skus["popularity"]))
    names = world.skus["sku_name"].to_numpy()[np.maximum(sku, 0)]
    kind = rng.choice(["professional", "scenario", "ugc"], count, p=[0.25, 0.4, 0.35])
    titles = {"professional": "专业测评：", "scenario": "生活场景：", "ugc": "真实分享："}
    author = np.where(kind == "ugc", "koc", rng.choice(["kol", "koc", "brand"], count))
    words = np.array(["居家", "送礼", "平价", "高颜值", "通勤", "露营", "开箱"])
    tags = words[rng.integers(0, len(words), (count, 2))]
    return pd.DataFrame(
        {
            "content_id": [f"CT{number:06d}" for number in range(1, count + 1)],
            "title": [f"{titles[one]}{name}" for one, name in zip(kind, names, strict=True)],
            "content_type": kind,
            "author_kind": author,
            "platform": rng.choice(["xiaohongshu", "douyin", "mini_program"], count, p=[0.5, 0.25, 0.25]),
            "tags": [json.dumps(sorted(set(pair)), ensure_ascii=False) for pair in tags.tolist()],
            "sku": sku,
            "published_day": np.sort(rng.integers(-60, world.days, count)),
        }
    )


def _live_sessions(world: World) -> pd.DataFrame:
    rng = world.rng("live_sessions")
    count = world.scale.live_sessions
    day = np.unique(np.linspace(1, world.days - 1, count).astype(int)) if count <= world.days else np.arange(world.days)
    if count > len(day):
        day = np.sort(np.r_[day, rng.integers(1, world.days, count - len(day))])
    start = world.at(day, rng.integers(18 * 60, 20 * 60 + 30, count) * 60)
    host = rng.integers(0, len(_HOSTS), count)
    return pd.DataFrame(
        {
            "live_session_id": [f"LV{number:06d}" for number in range(1, count + 1)],
            "host": np.array(_HOSTS, object)[host],
            "title": [None if number % 5 == 0 else f"{_HOSTS[one]}的直播间" for number, one in enumerate(host)],
            "start": start,
            "end": start + (rng.integers(90, 180, count) * 60).astype("timedelta64[s]"),
            "day": day,
        }
    )


def _groups(world: World) -> pd.DataFrame:
    rng = world.rng("groups")
    count = int(np.clip(world.scale.users // 60, 6, 600))
    leaves = np.flatnonzero(world.categories["category_level"] == 2)
    category = np.where(rng.random(count) < 0.15, -1, leaves[np.arange(count) % len(leaves)])
    kind = np.array(["welfare", "interest", "vip", "store"])[rng.choice(4, count, p=[0.35, 0.4, 0.1, 0.15])]
    word = {"welfare": "福利群", "interest": "兴趣群", "vip": "会员群", "store": "门店群"}
    name = world.categories["category_name_zh"].to_numpy()
    ids = world.categories["category_id"].to_numpy()
    return pd.DataFrame(
        {
            "group_id": [f"GR{number:05d}" for number in range(1, count + 1)],
            "group_name": [
                f"青禾{name[c] if c >= 0 else ''}{word[k]}{place}"
                for place, (c, k) in enumerate(zip(category, kind, strict=True), start=1)
            ],
            "category": category,
            "category_id": np.where(category >= 0, ids[category], None),
            "group_type": kind,
            "owner": [f"staff{number:03d}" for number in rng.integers(1, max(3, count // 3) + 1, count)],
            "created_day": np.sort(np.where(rng.random(count) < 0.7, -30, rng.integers(0, world.days, count))),
        }
    )


def add_experiments(world: World) -> None:
    """Adds experiments and who was put into which variant."""
    rng = world.rng("experiments")
    drawn = world.rng("experiment effects")
    effects = drawn.permutation(np.round(drawn.uniform(*np.transpose(_EFFECTS)), 2)).tolist()
    wrong = int(drawn.integers(len(_EXPERIMENTS)))  # whose shares are not as planned
    starts = (np.array([0.2, 0.4, 0.55]) * world.days).astype(int)
    rows, frames = [], []
    accounts = np.flatnonzero(world.identities["kind"] == "account")
    created = world.identities["created_day"].to_numpy()[accounts]
    for number, (name, hypothesis, variants) in enumerate(_EXPERIMENTS):
        effect, mismatched = effects[number], number == wrong
        start, end = int(starts[number]), int(min(starts[number] + max(28, world.days * 0.3), world.days - 1))
        shares = json.dumps([{"name": variant, "share": 0.5} for variant in variants])
        metric = "repurchase_rate" if number == 0 else "conversion_rate"
        rows.append((f"EX{number + 1:03d}", name, hypothesis, shares, metric, start, end, effect, mismatched))
        frames.append(_assigned(world, number, accounts[created < end - 3], (start, end), variants, mismatched, rng))
    names = ["experiment_id", "experiment_name", "hypothesis", "variants", "metric"]
    names += ["start_day", "end_day", "effect", "is_mismatched"]
    world.experiments = pd.DataFrame(rows, columns=names)
    together = pd.concat(frames, ignore_index=True)
    world.assignments = together.sort_values("assigned_at", kind="stable", ignore_index=True)
    world.truth["experiments"] = world.experiments.drop(columns=["hypothesis", "variants"])


def _assigned(
    world: World,
    number: int,
    accounts: np.ndarray,
    window: tuple[int, int],
    variants: tuple[str, str],
    mismatched: bool,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Assignments of one experiment; 0.5 % of the accounts get both variants."""
    count = len(accounts)
    treated = rng.random(count) < (0.42 if mismatched else 0.5)
    created = world.identities["created_day"].to_numpy()[accounts]
    day = np.maximum(created + 1, window[0] + np.minimum(rng.exponential(4, count), 20).astype(int))
    day = np.minimum(day, window[1])
    at = world.at(day, rng.integers(9 * 3600, 23 * 3600, count))
    exposed = at + rng.exponential(6 * 3600, count).astype("timedelta64[s]")
    exposed[(rng.random(count) < 0.15) | (exposed >= world.end)] = np.datetime64("NaT")
    twice = rng.choice(count, max(1, round(count * 0.005)), replace=False)
    rows = np.r_[np.arange(count), twice]
    other = np.r_[treated, ~treated[twice]]
    late = np.r_[np.zeros(count, int), np.full(len(twice), 3600)].astype("timedelta64[s]")
    at, exposed = np.minimum(at[rows] + late, world.end - np.timedelta64(1, "s")), exposed[rows] + late
    exposed[exposed >= world.end] = np.datetime64("NaT")
    return pd.DataFrame(
        {
            "experiment": number,
            "identity": accounts[rows],
            "variant": np.where(other, variants[1], variants[0]),
            "assigned_at": at,
            "exposed_at": exposed,
            "is_treated": other,
        }
    )
