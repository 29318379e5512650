"""mart_inventory_health, row for row, from the silos' files.

From the release come only what a line and a day's stock cost (test_silo_totals judges that).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.real.comparison import assert_table
from tests.simulated import expected

pytestmark = pytest.mark.silos

KEY = ["sku_id", "warehouse_id"]
# As documented, not read from policies.yml: a changed default has to be met by a changed test.
TURNOVER_DAYS, DEAD_DAYS, YEAR_DAYS = 90, 90, 365
DAY = pd.Timedelta(days=1)


def pictures(silos: Path, release: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The daily pictures with what the stock was worth."""
    stock = expected.inventory(silos).drop(columns=["inventory_value_amount", "silo"])
    stock = stock.assign(sku_id="erp:" + stock["sku_id"], warehouse_id="erp:" + stock["warehouse_id"])
    worth = release.sql(
        "select sku_id, warehouse_id, stock_date, (inventory_value_amount * 100)::bigint as inventory_value_amount "
        "from unified.fct_inventory_daily"
    ).df()
    moments = {"stock_date": "datetime64[ns]"}
    return stock.merge(worth.astype(moments), on=[*KEY, "stock_date"], validate="one_to_one")


def goods_left(silos: Path, release: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The lines of orders, on the day and from the warehouse of the order's first parcel."""
    parcels = (
        expected.shipments(silos).sort_values(["shipped_at", "shipment_id"]).drop_duplicates(["order_silo", "order_id"])
    )
    parcels = parcels.drop(columns="silo").rename(columns={"order_silo": "silo", "shipped_date": "left_date"})
    lines = expected.order_lines(silos).drop(columns="cost_amount")
    costs = release.sql(
        "select silo, source_line_id as order_line_id, (cost_amount * 100)::bigint as cost_amount "
        "from unified.fct_order_lines"
    ).df()
    lines = lines.merge(costs, on=["silo", "order_line_id"], validate="one_to_one")
    columns = ["silo", "order_id", "warehouse_id", "left_date"]
    left = lines.merge(parcels[columns], on=["silo", "order_id"], validate="many_to_one")
    return left.assign(sku_id="erp:" + left["sku_id"], warehouse_id="erp:" + left["warehouse_id"])


def benchmarks(silos: Path) -> pd.Series:
    """The latest turnover by category and macro-region."""
    told = expected.rows(silos, "market", "industry_benchmarks").dropna(subset="turnover_rate")
    latest = told.sort_values("benchmark_month").drop_duplicates(["category_id", "macro_region"], keep="last")
    return latest.set_index(["category_id", "macro_region"])["turnover_rate"]


def attributes(silos: Path) -> pd.DataFrame:
    """Category, macro-region and benchmark of each SKU and warehouse."""
    skus = expected.rows(silos, "erp", "skus")[["sku_id", "product_id"]]
    products = expected.rows(silos, "erp", "products")[["product_id", "category_id"]]
    parents = expected.rows(silos, "erp", "categories").set_index("category_id")["parent_category_id"]
    places = expected.rows(silos, "erp", "warehouses")[["warehouse_id", "macro_region"]]
    found = skus.merge(products, how="left", on="product_id").merge(places, how="cross")
    rates = benchmarks(silos)
    own = rates.reindex(pd.MultiIndex.from_frame(found[["category_id", "macro_region"]])).to_numpy()
    above = found.assign(category_id=found["category_id"].map(parents))
    upper = rates.reindex(pd.MultiIndex.from_frame(above[["category_id", "macro_region"]])).to_numpy()
    found["benchmark_turnover_rate"] = pd.Series(own, index=found.index).fillna(pd.Series(upper, index=found.index))
    found["sku_id"], found["warehouse_id"] = "erp:" + found["sku_id"], "erp:" + found["warehouse_id"]
    return found.assign(category_id="erp:" + found["category_id"])[
        [*KEY, "category_id", "macro_region", "benchmark_turnover_rate"]
    ]


def health(silos: Path, release: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The mart as specified; amounts in cents."""
    stock, left = pictures(silos, release), goods_left(silos, release)
    last, first = stock["stock_date"].max(), stock["stock_date"].min()
    days = min(TURNOVER_DAYS, (last - first).days + 1)
    begin = last - (days - 1) * DAY
    latest = stock[stock["stock_date"] == last].set_index(KEY)
    found = pd.DataFrame(index=stock.set_index(KEY).index.unique().sort_values())
    for name in ("on_hand_units", "locked_units", "in_transit_units", "inventory_value_amount"):
        found[name] = latest[name].reindex(found.index).fillna(0).astype("int64")
    found["available_units"] = found["on_hand_units"] - found["locked_units"]
    of_window = stock[stock["stock_date"] >= begin].groupby(KEY)
    total = of_window["inventory_value_amount"].sum().reindex(found.index).fillna(0)
    taken = stock.loc[stock["stock_date"] >= begin, "stock_date"].nunique()
    sold = left[left["left_date"].between(begin, last)].groupby(KEY)[["units", "cost_amount"]].sum()
    found = found.join(sold).fillna({"units": 0, "cost_amount": 0}).astype({"units": "int64", "cost_amount": "int64"})
    # A picture in which the SKU is missing counts as one without stock.
    found["average_inventory_amount"] = [_rounded(amount, taken) for amount in total]
    mean = found["average_inventory_amount"]
    found["turnover_rate"] = found["cost_amount"] * YEAR_DAYS / days / mean.where(mean != 0)
    found["days_of_supply"] = found["available_units"] * days / found["units"].where(found["units"] != 0)
    empty = stock[(stock["stock_date"] >= begin) & (stock["on_hand_units"] == 0)].groupby(KEY).size()
    found["out_of_stock_days"] = empty.reindex(found.index).fillna(0).astype("int64")
    found["is_out_of_stock"] = found["on_hand_units"] == 0
    found["first_stocked_date"] = stock[stock["on_hand_units"] > 0].groupby(KEY)["stock_date"].min()
    found["last_sold_date"] = left.groupby(KEY)["left_date"].max()
    since = last - DEAD_DAYS * DAY
    unsold = found["last_sold_date"].isna() | (found["last_sold_date"] <= since)
    found["is_dead_stock"] = (found["on_hand_units"] > 0) & (found["first_stocked_date"] <= since) & unsold
    found = found.reset_index().merge(attributes(silos), how="left", on=KEY, validate="one_to_one")
    found["turnover_gap_rate"] = found["turnover_rate"] - found["benchmark_turnover_rate"]
    return found.assign(stock_date=last, window_days=days)


def _rounded(amount: float, count: int) -> int:
    """The mean in whole cents, half a cent up."""
    return int((Decimal(int(amount)) / int(count)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def test_every_row_is_as_specified(silos: Path, release: duckdb.DuckDBPyConnection) -> None:
    derived = {"turnover_gap_rate": "turnover_gap"}  # compared with the tolerance of rates
    assert_table(release, "marts.mart_inventory_health", health(silos, release), KEY, derived)
