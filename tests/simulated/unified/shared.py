"""Every table of the shared family that comes from silos, the merchant's file and the policies."""

from __future__ import annotations

import json

import pandas as pd
import yaml

from tests.simulated import expected
from tests.simulated.silo_files import business_date, local_date
from tests.simulated.unified.company import CHANNEL_GROUPS, Company, Table, unified
from tests.simulated.unified.user import user_touches
from zhongtai.settings import PROJECT_ROOT

MERCHANTS = PROJECT_ROOT / "merchants"
# Since when a policy holds that never changed.
ALWAYS = pd.Timestamp("1970-01-01")


def merchants(company: Company) -> pd.DataFrame:
    """The merchant's file, the latest moment that landed, and how many files did."""
    told = yaml.safe_load((MERCHANTS / "qinghe.yml").read_text(encoding="utf-8"))
    moment = pd.Timestamp(expected.latest(company.silos))
    # A workbook lands once for each table that it has a sheet of.
    files = sum(len(expected.reading(company.silos, *table).files) for table in expected.TABLES)
    row = {name: told[name] for name in ("title", "time_zone", "currency", "locale")}
    dates = {"as_of": moment, "as_of_date": pd.Timestamp(local_date(moment.to_pydatetime()))}
    return pd.DataFrame([{"merchant": "qinghe", **row, **dates, "known_at": files}])


def policies() -> pd.DataFrame:
    """The defaults: Qinghe overrides none, and none has changed. An empty list has a row without a value."""
    found = []
    for name, told in yaml.safe_load((MERCHANTS / "policies.yml").read_text(encoding="utf-8")).items():
        values = told["value"] if isinstance(told["value"], list) else [told["value"]]
        places = told.get("positions", [None] * len(values))
        rows = zip(range(1, len(values) + 1), places, values, strict=True) if values else [(0, None, None)]
        of_policy = {"policy": name, "policy_name_zh": told["name_zh"]}
        of_policy |= {"unit": told["unit"], "description": told["description"]}
        columns = ("position", "position_name", "policy_value")
        found += [{**of_policy, **dict(zip(columns, row, strict=True))} for row in rows]
    return pd.DataFrame(found).assign(effective_from=ALWAYS, effective_to=None, is_current=True, source="default")


def campaigns(company: Company) -> pd.DataFrame:
    found = company.rows("marketing", "campaigns").assign(silo="marketing")
    reached = user_touches(company).groupby("campaign_id")["user_id"].nunique()
    found["source_campaign_id"] = found["campaign_id"]
    found["campaign_id"] = unified("marketing", found["campaign_id"])
    found["reached_users"] = found["campaign_id"].map(reached).fillna(0).astype("int64")
    return found.drop(columns=["threshold_amount", "benefit_amount", "updated_at"])


def campaign_skus(company: Company) -> pd.DataFrame:
    """SKUs of campaigns; of how many coupons of a campaign are for a SKU, marketing tells nothing."""
    found = company.rows("marketing", "campaign_skus").assign(silo="marketing", coupon_count=None)
    return found.assign(
        campaign_id=unified("marketing", found["campaign_id"]),
        sku_id=unified("erp", found["sku_id"]),
        source_sku_id=found["sku_id"],
        campaign_amount=found["campaign_price_amount"],
    ).drop(columns=["campaign_price_amount", "updated_at"])


def content(company: Company) -> pd.DataFrame:
    names = {"title": "content_title", "author_kind": "author_tier"}
    found = company.rows("marketing", "content").rename(columns=names).assign(silo="marketing")
    return found.assign(
        content_id=unified("marketing", found["content_id"]),
        sku_id=unified("erp", found["sku_id"]),
        tags=found["tags"].map(lambda tags: ",".join(json.loads(tags)), na_action="ignore"),
    ).drop(columns="updated_at")


def content_daily(company: Company) -> pd.DataFrame:
    found = company.rows("marketing", "content_stats").assign(silo="marketing")
    return found.assign(content_id=unified("marketing", found["content_id"]))


def ad_spend(company: Company) -> pd.DataFrame:
    names = {"cost_amount": "ad_spend_amount"}
    found = company.rows("marketing", "ad_spend").rename(columns=names).assign(silo="marketing")
    return found.assign(
        campaign_id=unified("marketing", found["campaign_id"]),
        channel_group=found["channel"].map(CHANNEL_GROUPS),
    ).drop(columns="reported_at")


def stores(company: Company) -> pd.DataFrame:
    """Stores as last pictured; one that later pictures miss closed on the day of its last one."""
    found = expected.stores(company.silos).assign(silo="stores")
    gone = found["snapshot_date"].where(found["snapshot_date"] < found["snapshot_date"].max())
    dates = expected.orders(company.silos).groupby("store_id")["placed_date"]
    return found.assign(
        store_id=unified("stores", found["store_id"]),
        source_store_id=found["store_id"],
        region_id=company.region_of(found["city"]),
        closed_date=found["closed_date"].fillna(gone),
        first_order_date=found["store_id"].map(dates.min()),
        last_order_date=found["store_id"].map(dates.max()),
    ).drop(columns=["snapshot_date", "province", "city", "address"])


def store_visits(company: Company) -> pd.DataFrame:
    found = company.rows("stores", "visits").rename(columns={"card_no": "source_user_id"})
    found["silo"] = "stores"
    return found.assign(
        visit_id=unified("stores", found["visit_id"]),
        store_id=unified("stores", found["store_id"]),
        user_id=company.person_of(found["silo"], found["source_user_id"]),
        coupon_id=unified("storefront", found["coupon_id"]),
        visited_date=business_date(found["visited_at"]),
    )


def live_sessions(company: Company) -> pd.DataFrame:
    found = company.rows("live", "sessions").assign(silo="live")
    return found.assign(
        live_session_id=unified("live", found["live_session_id"]),
        session_date=business_date(found["started_at"]),
    ).drop(columns=["title", "updated_at"])


def live_minutes(company: Company) -> pd.DataFrame:
    found = company.rows("live", "session_minutes").assign(silo="live")
    return found.assign(
        live_session_id=unified("live", found["live_session_id"]), minute_date=business_date(found["minute_at"])
    )


def weather_daily(company: Company) -> pd.DataFrame:
    return company.rows("weather", "weather_daily").assign(silo="weather").drop(columns="reported_at")


TABLES = {
    "dim_merchants": Table(merchants, ["merchant"]),
    "dim_policies": Table(lambda _: policies(), ["policy", "position"]),
    "dim_campaigns": Table(campaigns, ["campaign_id"]),
    "bridge_campaign_skus": Table(campaign_skus, ["campaign_id", "sku_id"]),
    "dim_content": Table(content, ["content_id"]),
    "fct_content_daily": Table(content_daily, ["content_id", "stat_date"]),
    "fct_ad_spend": Table(ad_spend, ["spend_date", "channel", "campaign_id"], apart=["spend_id"]),
    "dim_stores": Table(stores, ["store_id"]),
    "fct_store_visits": Table(store_visits, ["visit_id"]),
    "dim_live_sessions": Table(live_sessions, ["live_session_id"]),
    "fct_live_minutes": Table(live_minutes, ["live_session_id", "minute_at"]),
    "fct_weather_daily": Table(weather_daily, ["region_id", "weather_date"]),
}
