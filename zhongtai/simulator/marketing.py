"""Campaigns, ads, content and experiments as the marketing department keeps them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from zhongtai.simulator.columns import pick
from zhongtai.simulator.files import Silos
from zhongtai.simulator.versions import chunks, versions
from zhongtai.simulator.world import World

PAID_CHANNELS = np.array(["ads", "search_engine", "xiaohongshu", "douyin"], object)
_PLANNED_BEFORE = 20  # a campaign is entered so many days before it starts
_RAISED_RATE = 0.25
_CHUNK_ROWS = 500_000
# Yuan a click by channel, and clicks a thousand impressions.
_CLICK_COSTS, _CLICK_RATES = (6.0, 4.5, 3.5, 3.0), (14.0, 35.0, 22.0, 18.0)
# Planted: bad campaigns pay more for a click, and for clicks of people who are gone before the page is there.
_CLICKS_AN_ORDER, _BAD_CLICKS, _BAD_PRICE = 9.0, 3.0, 2.4
_STAT_DAYS = 240


def write(world: World, silos: Silos, orders: pd.DataFrame, visits: pd.DataFrame | None = None) -> None:
    """Writes every table of marketing.

    Args:
        orders: selling.Orders.orders, of which the storefront's under campaigns explain clicks.
        visits: day, channel, campaign (row), sessions: visits of the storefront under campaigns. Where given, clicks
            of good campaigns are a little more than these; otherwise clicks follow orders.
    """
    _write_campaigns(world, silos)
    _write_ad_spend(world, silos, _clicks(world, orders, visits))
    _write_content(world, silos)
    _write_content_stats(world, silos)
    _write_experiments(world, silos)


def _write_campaigns(world: World, silos: Silos) -> None:
    """Campaigns when they are entered, and again where the budget was raised on the way."""
    rng = world.rng("campaigns file")
    campaigns = world.campaigns
    count = len(campaigns)
    start, end = campaigns["start_day"].to_numpy(), campaigns["end_day"].to_numpy()
    entered = np.maximum(start - _PLANNED_BEFORE, 0)
    raised = np.flatnonzero((rng.random(count) < _RAISED_RATE) & (end > start + 2))
    row = np.r_[np.arange(count), raised]
    day = np.r_[entered, np.minimum(start[raised] + 2, end[raised])]
    later = np.r_[np.zeros(count, bool), np.ones(len(raised), bool)]
    budget = campaigns["budget_amount"].to_numpy()[row] * np.where(later, 120, 100) // 100
    columns = {
        name: campaigns[name].to_numpy()[row] for name in ("campaign_id", "campaign_name", "mechanics", "campaign_type")
    }
    columns["budget_amount"] = budget
    for name in ("threshold_amount", "benefit_amount"):
        amount = campaigns[name].to_numpy()[row]
        columns[name] = np.where(amount < 0, np.nan, amount)
    columns |= {"start_date": world.dates(start[row]), "end_date": world.dates(end[row])}
    columns["updated_at"] = world.at(day, np.where(later, 15 * 3600, 9 * 3600))
    silos.write("marketing", "campaigns", columns, day, label="week")
    plans = world.campaign_skus
    campaign = plans["campaign"].to_numpy()
    columns = {
        "campaign_id": pick(campaigns["campaign_id"], campaign),
        "sku_id": pick(world.skus["sku_id"], plans["sku"].to_numpy()),
        "planned_units": plans["planned_units"].to_numpy(),
        "campaign_price_amount": plans["campaign_price_amount"].to_numpy(),
        "updated_at": world.at(entered[campaign], 9 * 3600 + 600),
    }
    silos.write("marketing", "campaign_skus", columns, entered[campaign], label="week")


def _clicks(world: World, orders: pd.DataFrame, visits: pd.DataFrame | None) -> pd.DataFrame:
    """Clicks by day, channel (place among the paid ones) and campaign."""
    rng = world.rng("clicks")
    campaigns = world.campaigns
    shape = (world.days, len(PAID_CHANNELS), len(campaigns))
    clicks = np.zeros(shape)
    if visits is not None:
        known = visits[visits["channel"].isin(PAID_CHANNELS) & (visits["campaign"] >= 0)]
        channel = pd.Categorical(known["channel"], categories=list(PAID_CHANNELS)).codes
        np.add.at(
            clicks, (known["day"].to_numpy(), channel, known["campaign"].to_numpy()), known["sessions"].to_numpy()
        )
        clicks *= rng.uniform(1.02, 1.15, shape)
    else:
        chosen = orders[(orders["silo"] == "storefront") & (orders["campaign"] >= 0)]
        chosen = chosen[chosen["channel"].isin(PAID_CHANNELS)]
        channel = pd.Categorical(chosen["channel"], categories=list(PAID_CHANNELS)).codes
        np.add.at(clicks, (chosen["day"].to_numpy(), channel, chosen["campaign"].to_numpy()), 1.0)
        clicks *= _CLICKS_AN_ORDER * rng.lognormal(0, 0.3, shape)
    clicks *= np.where(campaigns["effect"] == "bad", _BAD_CLICKS, 1.0)
    # A paid campaign that nobody follows is shown all the same.
    days = np.arange(world.days)[:, None]
    runs = (campaigns["start_day"].to_numpy() <= days) & (days <= campaigns["end_day"].to_numpy())
    own = PAID_CHANNELS[:, None] == campaigns["channel"].to_numpy()
    clicks += rng.poisson(2.0, shape) * (runs[:, None, :] & own[None])
    clicks = np.round(clicks).astype(np.int64)
    day, channel, campaign = np.nonzero(clicks)
    return pd.DataFrame(
        {"day": day, "channel": channel, "campaign": campaign, "clicks": clicks[day, channel, campaign]}
    )


def _write_ad_spend(world: World, silos: Silos, rows: pd.DataFrame) -> None:
    """What the platforms report the next morning, and again a day or two later for some."""
    rng = world.rng("ad spend")
    channel, campaign = rows["channel"].to_numpy(), rows["campaign"].to_numpy()
    clicks, day = rows["clicks"].to_numpy(), rows["day"].to_numpy()
    count = len(rows)
    dear = np.where(world.campaigns["effect"] == "bad", _BAD_PRICE, 1.0)[campaign]
    cost = np.round(clicks * np.array(_CLICK_COSTS)[channel] * 100 * dear * rng.lognormal(0, 0.15, count))
    shown = np.round(clicks * 1000 / np.array(_CLICK_RATES)[channel] * rng.lognormal(0, 0.1, count))
    restated = np.flatnonzero(rng.random(count) < 0.3)
    row = np.r_[np.arange(count), restated]
    later = np.r_[np.zeros(count, int), rng.integers(1, 3, len(restated))]
    first = np.ones(count)
    first[restated] = rng.uniform(0.85, 0.99, len(restated))
    factor = np.where(later > 0, 1.0, first[row])
    # The day closes shortly before midnight; a report belongs to the day on which it is made.
    reported_day = day[row] + later
    inside = reported_day < world.days
    row, later, factor, reported_day = row[inside], later[inside], factor[inside], reported_day[inside]
    columns = {
        "spend_date": world.dates(day[row]),
        "channel": PAID_CHANNELS[channel[row]],
        "campaign_id": pick(world.campaigns["campaign_id"], campaign[row]),
        "impressions": np.round(shown[row] * factor).astype(np.int64),
        "clicks": np.ceil(clicks[row] * factor).astype(np.int64),
        "cost_amount": np.round(cost[row] * factor).astype(np.int64),
        "reported_at": world.at(reported_day, np.where(later > 0, 8 * 3600, 86_000)),
    }
    silos.write("marketing", "ad_spend", columns, reported_day, label="day")


def _write_content(world: World, silos: Silos) -> None:
    """Content when it is published, and again where its tags were edited; half of that without a SKU stays so."""
    rng = world.rng("content file")
    contents = world.contents
    count = len(contents)
    published = world.at(contents["published_day"].to_numpy(), rng.integers(8 * 3600, 22 * 3600, count))
    edited = np.where(rng.random(count) < 0.15, 1, 0)
    edits = published + rng.integers(86_400, 40 * 86_400, count).astype("timedelta64[s]")
    rows = versions(world, [published, np.where(edited > 0, edits, np.datetime64("NaT", "s"))])
    thing = rows.thing
    tags = contents["tags"].to_numpy().astype(object)
    untagged = (rng.random(count) < 0.2)[thing] & (rows.stage == 0)
    columns = {
        name: contents[name].to_numpy()[thing]
        for name in ("content_id", "title", "content_type", "author_kind", "platform")
    }
    columns["tags"] = np.where(untagged, None, tags[thing])
    columns["sku_id"] = pick(world.skus["sku_id"], contents["sku"].to_numpy()[thing])
    columns["published_at"] = published[thing]
    columns["updated_at"] = rows.updated_at
    silos.write("marketing", "content", columns, rows.day, label="week")


def _write_content_stats(world: World, silos: Silos) -> None:
    """Daily views that fade; content of professionals is found by search, that of others is shared."""
    rng = world.rng("content stats")
    contents = world.contents
    published = contents["published_day"].to_numpy()
    kind = contents["content_type"].to_numpy()
    reach = rng.lognormal(4.2, 1.1, len(contents)) * np.where(contents["author_kind"] == "kol", 4.0, 1.0)
    fade = rng.uniform(12, 60, len(contents))
    search = np.select([kind == "professional", kind == "scenario"], [0.34, 0.2], 0.1)
    days = np.arange(world.days)[:, None]
    age = days - published
    day, content = np.nonzero((age >= 0) & (age < _STAT_DAYS))
    for part in chunks(day, _CHUNK_ROWS):
        number, today = content[part], day[part]
        past = today - published[number]
        mean = reach[number] * (0.06 + np.exp(-past / fade[number])) * world.calendar["demand"].to_numpy()[today] ** 0.4
        views = rng.poisson(mean * rng.lognormal(0, 0.25, len(mean)))
        columns = {
            "content_id": pick(contents["content_id"], number),
            "stat_date": world.dates(today),
            "views": views,
            "likes": rng.binomial(views, 0.06),
            "shares": rng.binomial(views, np.where(kind[number] == "ugc", 0.02, 0.009)),
            "search_entrances": rng.binomial(views, search[number]),
        }
        silos.write("marketing", "content_stats", columns, today, label="day")


def _write_experiments(world: World, silos: Silos) -> None:
    experiments, assignments = world.experiments, world.assignments
    started = world.at(experiments["start_day"].to_numpy(), 9 * 3600)
    ended = world.at(experiments["end_day"].to_numpy(), 23 * 3600)
    rows = versions(world, [started, ended])
    columns = {
        name: experiments[name].to_numpy()[rows.thing]
        for name in ("experiment_id", "experiment_name", "hypothesis", "variants", "metric")
    }
    columns |= {"started_at": started[rows.thing], "ended_at": rows.shown(ended), "updated_at": rows.updated_at}
    silos.write("marketing", "experiments", columns, rows.day, label="week")
    columns = {
        "experiment_id": pick(experiments["experiment_id"], assignments["experiment"].to_numpy()),
        "user_id": pick(world.identities["source_id"], assignments["identity"].to_numpy()),
        "variant": assignments["variant"].to_numpy(),
        "assigned_at": assignments["assigned_at"].to_numpy(),
        "exposed_at": assignments["exposed_at"].to_numpy(),
    }
    silos.write("marketing", "assignments", columns, world.day_of(assignments["assigned_at"].to_numpy()), label="day")
