"""What people do in the storefront: events, written day by day so that memory stays bounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from zhongtai.simulator import sessions
from zhongtai.simulator.columns import coded, pick
from zhongtai.simulator.demand import by_day
from zhongtai.simulator.files import Silos
from zhongtai.simulator.selling import Orders
from zhongtai.simulator.world import World

_CHUNK_EVENTS = 500_000
_TYPE_NAMES = ["page_view", "search", "product_view", "add_to_cart", "favourite", "share", "login", "checkout"]
TYPES = np.array([*_TYPE_NAMES, "content_view", "live_watch"], object)
(PAGE_VIEW, SEARCH, PRODUCT_VIEW, ADD_TO_CART, FAVOURITE, SHARE, LOGIN, CHECKOUT, CONTENT_VIEW, LIVE_WATCH) = range(10)
_BROWSED = [PAGE_VIEW, SEARCH, PRODUCT_VIEW, FAVOURITE, SHARE, CONTENT_VIEW, LIVE_WATCH, ADD_TO_CART]
_BROWSED_SHARES = [0.22, 0.11, 0.43, 0.04, 0.015, 0.1, 0.025, 0.06]
_PAGES = np.array(["home", "category", "campaign", "member", "cart"], object)
_WORDS = np.array(["", "高颜值", "平价", "送礼", "大容量", "家用", "新款"], object)
_UTM = {
    "ads": ("oceanengine", "cpc", "www.toutiao.com"),
    "search_engine": ("baidu", "cpc", "www.baidu.com"),
    "xiaohongshu": ("xiaohongshu", "social", "www.xiaohongshu.com"),
    "douyin": ("douyin", "social", "www.douyin.com"),
    "wecom": ("wecom", "message", None),
    "group": ("wecom", "group", None),
    "sms": ("sms", "message", None),
    "mini_program": ("wechat", "mini_program", None),
}
# The first events of a visit, the wandering, what is bought, the checkout: ranks that order them.
_WANDERING, _BUYING, _PAYING = 10, 1_000, 100_000


@dataclass
class Behaviour:
    """What the other silos need to know of the events.

    Attributes:
        clicks: day, channel, campaign, sessions: visits that a campaign led here.
        content_views: day, content, views.
        devices: rows of world.identities of the devices that were seen.
        events: how many were written.
    """

    clicks: pd.DataFrame
    content_views: pd.DataFrame
    devices: np.ndarray
    events: int


def behave(world: World, sold: Orders, silos: Silos) -> Behaviour:
    """Makes and writes the events of all days."""
    who = sessions.visitors(world, sold)
    step = max(1, int(_CHUNK_EVENTS * world.days / world.scale.events))
    written, number = 0, 0
    clicks, views = [], []
    seen = np.zeros(len(world.identities), bool)
    for start in range(0, world.days, step):
        days = range(start, min(start + step, world.days))
        visits = sessions.visits(world, sold, who, days, number)
        number += int((visits["kind"] != sessions.ORDER).sum())
        events = _events(world, sold, visits, days)
        _write(world, silos, visits, events, written)
        written += len(events)
        seen[visits.loc[visits["device"] >= 0, "device"]] = True
        led = visits[visits["campaign"] >= 0]
        clicks.append(led.groupby(["day", "channel", "campaign"]).size().rename("sessions").reset_index())
        read = events[events["content"] >= 0]
        views.append(read.groupby(["day", "content"]).size().rename("views").reset_index())
    together = pd.concat(clicks, ignore_index=True)
    return Behaviour(together, pd.concat(views, ignore_index=True), np.flatnonzero(seen), written)


def _events(world: World, sold: Orders, visits: pd.DataFrame, days: range) -> pd.DataFrame:
    """The events of visits by time: visit, type, at, day, sku, content, live."""
    rng = world.rng("events", days.start)
    kind = visits["kind"].to_numpy()
    visit, rank, what, sku = _steps(world, sold, visits, days, rng)
    order = np.lexsort((rank, visit))
    visit, what, sku = visit[order], what[order], sku[order]
    first = np.r_[True, visit[1:] != visit[:-1]]
    firsts = np.flatnonzero(first)
    size = np.diff(np.r_[firsts, len(visit)])
    place = np.arange(len(visit)) - firsts[visit]
    length = size * (12 + rng.exponential(28, len(visits)))
    day = visits["day"].to_numpy()
    moment = visits["at"].to_numpy()
    into = (moment - world.midnight(day)).astype(np.int64)
    # A visit that buys ends with its order; no visit goes over midnight, so that a day's file holds whole visits.
    length = np.where(kind == sessions.BROWSING, np.minimum(length, 86_399 - into), np.minimum(length, into))
    start = np.where(kind == sessions.BROWSING, into, into - length)
    seconds = (start[visit] + length[visit] * (place + 0.9 * rng.random(len(visit))) / size[visit]).astype(np.int64)
    at = world.at(day[visit], seconds)
    live = _live(world, at)
    what = np.where((what == LIVE_WATCH) & (live < 0), PAGE_VIEW, what)
    contents = np.searchsorted(world.contents["published_day"], day[visit], side="right")
    content = (rng.random(len(visit)) ** 0.7 * contents).astype(np.int64)
    events = pd.DataFrame({"visit": visit, "type": what, "at": at, "day": day[visit], "is_first": first})
    events["sku"] = np.where(np.isin(what, [PRODUCT_VIEW, ADD_TO_CART, FAVOURITE, SHARE]), sku, -1)
    events["content"] = np.where((what == CONTENT_VIEW) & (contents > 0), content, -1)
    events["live"] = np.where(what == LIVE_WATCH, live, -1)
    events["is_known"] = _known(visits, visit, what, firsts)
    return events.sort_values("at", kind="stable", ignore_index=True)


def _steps(
    world: World, sold: Orders, visits: pd.DataFrame, days: range, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Visit, rank within it, type and SKU of every event, in no order."""
    count = len(visits)
    kind = visits["kind"].to_numpy()
    every = np.arange(count)
    logs_in = every[visits["state"].to_numpy() == sessions.LOGS_IN]
    wanders = np.where(kind == sessions.BROWSING, rng.geometric(0.24, count), rng.poisson(3.2, count))
    wandering = np.repeat(every, np.minimum(wanders, 40))
    types = np.array(_BROWSED)[rng.choice(len(_BROWSED), len(wandering), p=_BROWSED_SHARES)]
    viewed = by_day(_liked(world, days), visits["day"].to_numpy()[wandering] - days.start, rng)
    lines, order = _bought(sold, visits)
    cart, cart_sku = every[kind == sessions.ABANDONED], visits["sku"].to_numpy()[kind == sessions.ABANDONED]
    visit = np.r_[lines, cart]
    bought = np.r_[order, cart_sku]
    # Of those who only look, a few go to the checkout and leave.
    tempted = wandering[(types == ADD_TO_CART) & (kind[wandering] == sessions.BROWSING)]
    tempted = np.unique(tempted[rng.random(len(tempted)) < 0.25])
    pays = np.r_[every[kind == sessions.ORDER], tempted]
    none = np.full
    parts = [
        (every, none(count, 0), none(count, PAGE_VIEW), none(count, -1)),
        (logs_in, none(len(logs_in), 2), none(len(logs_in), LOGIN), none(len(logs_in), -1)),
        (wandering, _WANDERING + np.arange(len(wandering)) % 900, types, viewed),
        (visit, _BUYING + np.arange(len(visit)) * 2 % 90_000, none(len(visit), PRODUCT_VIEW), bought),
        (visit, _BUYING + np.arange(len(visit)) * 2 % 90_000 + 1, none(len(visit), ADD_TO_CART), bought),
        (pays, none(len(pays), _PAYING), none(len(pays), CHECKOUT), none(len(pays), -1)),
    ]
    together = [np.concatenate(part) for part in zip(*parts, strict=True)]
    return together[0], together[1], together[2], together[3]


def _liked(world: World, days: range) -> np.ndarray:
    """How much each SKU is looked at on each of the days, shape (days, SKUs); campaigns draw looks."""
    skus = world.skus
    day = np.arange(days.start, days.stop)[:, None]
    launched = skus["launched_day"].to_numpy()
    ended = np.where(skus["delisted_day"] < 0, world.days + 1, skus["delisted_day"])
    shown = np.where(skus["is_presale"], launched - 14, launched)
    weight = skus["popularity"].to_numpy() * ((shown <= day) & (day < ended))
    season = world.calendar["season"].to_numpy()[days.start : days.stop, None]
    return weight * (1 + 0.4 * skus["peak"].to_numpy() * season) * np.where(day - launched < 30, 2.0, 1.0)


def _bought(sold: Orders, visits: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Visit and SKU of every line that the visits' orders have, gifts aside."""
    order = visits["order"].to_numpy()
    of_order = np.full(len(sold.orders), -1)
    buying = np.flatnonzero(order >= 0)
    of_order[order[buying]] = buying
    if not len(buying):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    lines = sold.lines
    keys = lines["order"].to_numpy()
    start = np.searchsorted(keys, order[buying].min())
    stop = np.searchsorted(keys, order[buying].max(), side="right")
    part = lines.iloc[start:stop]
    visit = of_order[part["order"].to_numpy()]
    keep = (visit >= 0) & ~part["is_gift"].to_numpy()
    return visit[keep], part["sku"].to_numpy()[keep]


def _live(world: World, at: np.ndarray) -> np.ndarray:
    """The live session that runs at each instant, -1 for none."""
    begins = world.live_sessions["start"].to_numpy().astype("datetime64[s]")
    ends = world.live_sessions["end"].to_numpy().astype("datetime64[s]")
    order = np.argsort(begins, kind="stable")
    place = np.searchsorted(begins[order], at, side="right") - 1
    found = order[np.maximum(place, 0)]
    return np.where((place >= 0) & (at < ends[found]), found, -1)


def _known(visits: pd.DataFrame, visit: np.ndarray, what: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """Whether the event carries the account: from the login on, or always where the device remembers it."""
    state = visits["state"].to_numpy()[visit]
    logged = np.cumsum(what == LOGIN)
    before = (logged - (what == LOGIN))[firsts][visit]
    return (state == sessions.REMEMBERED) | ((state == sessions.LOGS_IN) & (logged > before))


def _write(world: World, silos: Silos, visits: pd.DataFrame, events: pd.DataFrame, written: int) -> None:
    """Writes the events of a chunk of days."""
    rng = world.rng("event details", written)
    count = len(events)
    visit, what = events["visit"].to_numpy(), events["type"].to_numpy()
    first = events["is_first"].to_numpy()
    identity = np.where(events["is_known"], visits["identity"].to_numpy()[visit], -1)
    channels = np.array(list(_UTM), object)
    channel = visits["channel"].to_numpy()
    place = pd.Categorical(channel, categories=channels).codes.astype(np.int64)
    linked = np.where(visits["campaign"] >= 0, place, -1)
    utm = [np.array([_UTM[name][part] for name in channels], object) for part in range(3)]
    dwell = np.round(rng.lognormal(9.4, 0.9, count))
    quiet = np.isin(what, [ADD_TO_CART, FAVOURITE, SHARE, LOGIN, CHECKOUT]) | (rng.random(count) < 0.04)
    names = world.categories["category_name_zh"].to_numpy()
    queries = np.array([word + name for word in _WORDS for name in names], object)
    page = np.where(what == PAGE_VIEW, rng.integers(0, len(_PAGES), count), -1)
    page = np.where(first & (what == PAGE_VIEW), np.where(visits["campaign"].to_numpy()[visit] >= 0, 2, 0), page)
    click = np.where(visits["paid_click"], np.arange(len(visits)) * 7_919 + written + 10_000_019, -1)
    silos.write(
        "storefront",
        "events",
        {
            "event_id": coded("EV", written + np.arange(count), 10),
            "event_at": events["at"].to_numpy(),
            "user_id": pick(world.identities["source_id"].to_numpy(), identity),
            "device_id": _taken(visits["device_id"], visit),
            "session_id": _taken(visits["session_id"], visit),
            "event_type": pick(TYPES, what),
            "channel": _taken(visits["channel"], visit),
            "device_type": _taken(visits["device_type"], visit),
            "page": pick(_PAGES, page),
            "sku_id": pick(world.skus["sku_id"].to_numpy(), events["sku"].to_numpy()),
            "content_id": pick(world.contents["content_id"].to_numpy(), events["content"].to_numpy()),
            "live_session_id": pick(world.live_sessions["live_session_id"].to_numpy(), events["live"].to_numpy()),
            "search_query": pick(queries, np.where(what == SEARCH, rng.integers(0, len(queries), count), -1)),
            "dwell_ms": np.where(quiet, np.nan, dwell),
            "referrer": pick(utm[2], np.where(first & (rng.random(count) < 0.8), place[visit], -1)),
            "utm_source": pick(utm[0], linked[visit]),
            "utm_medium": pick(utm[1], linked[visit]),
            "utm_campaign": pick(world.campaigns["campaign_id"].to_numpy(), visits["campaign"].to_numpy()[visit]),
            "ad_click_id": coded("AC", click[visit], 12),
        },
        events["day"].to_numpy(),
    )


def _taken(values: pd.Series, index: np.ndarray) -> pa.Array:
    return pa.array(values.to_numpy(), pa.string()).take(pa.array(index))
