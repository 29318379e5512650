"""What was planted can be found: carriers, weather, campaigns, touches and markets that are good, bad and changing."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.simulator_supply.conftest import Merchant
from zhongtai.simulator import marketing, touches
from zhongtai.simulator.contacts import build_contacts, build_groups
from zhongtai.simulator.files import Silos
from zhongtai.simulator.weather import happens, write


def test_a_changing_carrier_gets_worse(year: Merchant) -> None:
    world, parcels = year.world, year.shipping[year.shipping["carrier"] >= 0]
    changing = int(np.flatnonzero(world.carriers["quality"] == "changing")[0])
    on_time = parcels["arrives_at"].to_numpy() <= parcels["promised_at"].to_numpy()
    later = world.day_of(parcels["shipped_at"].to_numpy()) >= world.carriers["changes_day"].to_numpy()[changing]
    ours = (parcels["carrier"] == changing).to_numpy()
    assert on_time[ours & ~later].mean() > 0.8
    assert on_time[ours & later].mean() < 0.65
    good = world.carriers["quality"].to_numpy()[parcels["carrier"]] == "good"
    assert abs(on_time[good & later].mean() - on_time[good & ~later].mean()) < 0.05


def test_severe_weather_delays(year: Merchant) -> None:
    parcels = year.shipping[year.shipping["carrier"] >= 0]
    held = parcels["weather_hours"].to_numpy() >= 10
    on_time = parcels["arrives_at"].to_numpy() <= parcels["promised_at"].to_numpy()
    assert held.sum() > 50
    assert on_time[held].mean() < on_time[~held].mean() - 0.3


def test_seasons_typhoons_and_cold_waves(year: Merchant) -> None:
    world, truth = year.world, happens(year.world)
    month = world.dates(np.arange(len(truth.level))).astype("datetime64[M]").astype(int) % 12 + 1
    coast = (world.regions["province"] == "广东省").to_numpy()
    north = (world.regions["macro_region"] == "东北").to_numpy()
    assert truth.temperature[month == 7].mean() > truth.temperature[month == 1].mean() + 15
    assert truth.wind[np.isin(month, [7, 8, 9, 10])][:, coast].max() > 25
    assert truth.level[np.isin(month, [11, 12, 1, 2])][:, north].max() >= 2
    assert 0.005 < (truth.level > 0).mean() < 0.12


def test_forecasts_know_less_the_further_they_look(year: Merchant, tmp_path: Path) -> None:
    silos = Silos(tmp_path, year.world)
    write(year.world, silos)
    silos.close()
    frame = pd.concat([pd.read_csv(file, dtype={"region_id": str}) for file in tmp_path.glob("*/weather_forecast_*")])
    truth = happens(year.world)
    days = (pd.to_datetime(frame["forecast_date"]) - pd.Timestamp(year.world.first_date)).dt.days.to_numpy()
    lead = days - (pd.to_datetime(frame["issued_date"]) - pd.Timestamp(year.world.first_date)).dt.days.to_numpy()
    city = frame["region_id"].map(dict(zip(year.world.regions["region_id"], range(100), strict=False))).to_numpy()
    skill = [np.corrcoef(frame["rain_mm"][lead == one], truth.rain[days, city][lead == one])[0, 1] for one in (1, 2, 3)]
    assert skill[0] > skill[1] + 0.05 > skill[2] + 0.1
    assert skill[2] > 0.4


def test_bad_campaigns_cost_more_than_they_bring(year: Merchant, tmp_path: Path) -> None:
    silos = Silos(tmp_path, year.world)
    marketing.write(year.world, silos, year.sold.orders)
    silos.close()
    spend = pd.concat([pd.read_csv(file) for file in tmp_path.glob("*/ad_spend_*.csv")])
    spend = spend.sort_values("reported_at").drop_duplicates(["spend_date", "channel", "campaign_id"], keep="last")
    orders = year.sold.orders
    ours = (
        (orders["silo"] == "storefront") & orders["channel"].isin(marketing.PAID_CHANNELS) & (orders["campaign"] >= 0)
    )
    effect = year.world.campaigns["effect"].to_numpy()
    paid = orders[ours].groupby(effect[orders.loc[ours, "campaign"]])["payable_amount"].sum() / 100
    cost = (
        spend["cost_amount"]
        .groupby(spend["campaign_id"].map(year.world.campaigns.set_index("campaign_id")["effect"]))
        .sum()
    )
    assert paid["good"] / cost["good"] > 3
    assert paid["bad"] / cost["bad"] < 2


def test_demand_is_censored_by_stock(year: Merchant) -> None:
    demand = year.world.truth["demand"]
    assert 0.85 < demand["sold_units"].sum() / demand["wanted_units"].sum() < 0.99
    prepared = year.world.truth["campaign_stock"]["is_prepared"]
    assert 0.2 < prepared.mean() < 0.9


@pytest.mark.parametrize("channel", touches.CHANNELS)
def test_touches_follow_their_rates(year: Merchant, channel: str) -> None:
    contacts = build_contacts(year.world)
    nobody = year.sold.orders.iloc[:0]
    sent = touches.touch(year.world, nobody, contacts, build_groups(year.world, contacts))
    ours = sent[sent["channel"] == channel]
    planted = year.world.truth["touch_rates"]
    planted = planted[planted["touch_channel"] == channel]
    opened = ours["opened_at"].notna().mean()
    assert abs(opened - (planted["delivered_rate"] * planted["opened_rate"]).iloc[0]) < 0.04
    order = ["sent_at", "delivered_at", "opened_at", "clicked_at"]
    for before, after in itertools.pairwise(order):
        assert (ours[after].isna() | (ours[after] >= ours[before])).all()


def test_orders_of_private_channels_have_a_click_before_them(year: Merchant) -> None:
    contacts = build_contacts(year.world)
    sent = touches.touch(year.world, year.sold.orders, contacts, build_groups(year.world, contacts))
    orders = year.sold.orders
    mine = orders[(orders["silo"] == "storefront") & (orders["channel"] == "wecom")]
    mine = mine[contacts.of_person[mine["person"]] >= 0]
    clicks = sent[sent["clicked_at"].notna() & (sent["contact"] >= 0)]
    last = clicks.groupby("contact")["clicked_at"].min()
    known = mine[pd.Series(contacts.of_person[mine["person"]], index=mine.index).isin(last.index)]
    assert len(known) > 0.4 * len(mine)
