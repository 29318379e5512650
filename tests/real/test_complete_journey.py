"""The published release of a real retailer against pandas, row for row and to the cent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.real import complete_journey_oracle as oracle

pytestmark = pytest.mark.xdist_group("complete_journey")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published release: of `ZHONGTAI_TEST_RELEASE` where that is set, else of a run made here."""
    given = os.environ.get("ZHONGTAI_TEST_RELEASE")
    if given:
        return Path(given)
    home = tmp_path_factory.mktemp("complete_journey")
    command = [sys.executable, "-m", "orchestration.cli", "run", "--merchant", "complete_journey"]
    environment = {**os.environ, "ZHONGTAI_HOME": str(home)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return home / "complete_journey" / "releases" / "current"


@pytest.fixture(scope="module")
def database(release: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(release / "zhongtai.duckdb"), read_only=True)


@pytest.fixture(scope="module")
def line() -> pd.DataFrame:
    return oracle.lines()


@pytest.fixture(scope="module")
def order(line: pd.DataFrame) -> pd.DataFrame:
    return oracle.orders(line)


def _same(found: pd.DataFrame, expected: pd.DataFrame, key: list[str], within: float = 0) -> None:
    """Same rows, columns of `expected` only; says which rows differ first."""
    left = found.sort_values(key).reset_index(drop=True)[list(expected.columns)]
    right = expected.sort_values(key).reset_index(drop=True)
    pd.testing.assert_frame_equal(left, right, check_dtype=False, check_exact=within == 0, rtol=within, atol=within)


def _household(source_user_id: pd.Series) -> pd.Series:
    return source_user_id.astype("int64")


def test_published_figures(database: duckdb.DuckDBPyConnection) -> None:
    """11,226 lines have no sales value, and 20 more have one below half a cent."""
    values = oracle.load("transactions")["sales_value"]
    assert ((values == 0).sum(), ((values > 0) & (values < 0.005)).sum()) == (11_226, 20)
    assert database.sql(
        """
        select count(*), sum(paid_amount)::varchar,
            count(*) filter (where units = 0), count(*) filter (where paid_amount = 0)
        from unified.fct_order_lines
        """
    ).fetchall() == [(1_469_307, "4596039.58", 8_869, 11_226 + 20)]
    assert database.sql("select count(*) from unified.dim_users").fetchall() == [(2_469,)]
    assert database.sql("select count(*), sum(line_count) from unified.fct_orders").fetchall() == [(155_848, 1_469_307)]
    assert database.sql("select as_of::varchar, as_of_date::varchar from unified.dim_merchants").fetchall() == [
        ("2018-01-01 04:01:20", "2017-12-31")
    ]


def test_every_row_read_is_accounted_for(release: Path) -> None:
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    parts = ("rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded", "rows_erased")
    for name, counts in manifest["sources"].items():
        rows = duckdb.sql(f"select count(*) from '{oracle.package_file(name.split('.')[1])}'").fetchall()
        assert rows == [(counts["rows_read"],)], name
        assert counts["rows_read"] == sum(counts[part] for part in parts), name
    assert manifest["sources"]["complete_journey.promotions"]["rows_loaded"] == 20_940_529
    assert manifest["sources"]["complete_journey.coupons"]["rows_duplicate"] == 4_872


def test_lines(database: duckdb.DuckDBPyConnection, line: pd.DataFrame) -> None:
    found = database.sql(
        """
        select source_order_id::bigint as basket, sku_id, units, placed_date as date,
            (paid_amount * 100)::bigint as paid, (discount_amount * 100)::bigint as discount,
            (third_party_discount_amount * 100)::bigint as coupon,
            ((list_amount - discount_amount - gmv_amount) * 100)::bigint as difference
        from unified.fct_order_lines
        """
    ).df()
    assert (found["difference"] == 0).all()
    expected = line[["basket", "sku_id", "units", "date", "paid", "discount", "coupon"]]
    _same(found, expected, ["basket", "sku_id"])


def test_orders(database: duckdb.DuckDBPyConnection, order: pd.DataFrame) -> None:
    found = database.sql(
        """
        select order_id, source_user_id::bigint as household, placed_date as date, units,
            (paid_amount * 100)::bigint as paid, user_order_number as number
        from unified.fct_orders
        """
    ).df()
    _same(found, order[["order_id", "household", "date", "units", "paid", "number"]], ["order_id"])


@pytest.mark.parametrize("group", ["all", "offline"])
def test_kpi_daily(database: duckdb.DuckDBPyConnection, order: pd.DataFrame, group: str) -> None:
    found = database.sql(
        f"""
        select kpi_date as date, (paid_amount * 100)::bigint as paid, paid_orders as orders, units, buyers, new_buyers,
            returning_buyers, (average_order_amount * 100)::double as average,
            (gmv_amount - paid_amount)::double as unpaid, refund_amount::double as refunded, cost_amount, sessions,
            active_users - buyers as only_active, is_complete
        from marts.mart_kpi_daily where channel_group = '{group}'
        """
    ).df()
    _same(found, oracle.kpi_daily(order), ["date"])
    assert (found[["unpaid", "refunded", "only_active"]] == 0).all(axis=None)
    assert found["is_complete"].all() and found["sessions"].isna().all()
    # No cost is known; a day without orders cost nothing.
    assert found.loc[found["orders"] > 0, "cost_amount"].isna().all()


def test_rfm(database: duckdb.DuckDBPyConnection, order: pd.DataFrame) -> None:
    found = database.sql(
        """
        select source_id::bigint as household, last_paid_date as last, recency_days as recency,
            frequency_orders as frequency, (monetary_amount * 100)::bigint as money,
            recency_score, frequency_score, monetary_score, segment
        from marts.mart_user_rfm inner join unified.bridge_user_identities using (user_id)
        """
    ).df()
    expected = oracle.rfm(order)
    expected["segment"] = expected.apply(oracle.segment_of, axis=1)
    _same(found, expected.drop(columns="is_new"), ["household"])
    assert expected["segment"].nunique() >= 5


@pytest.mark.parametrize("channel", ["all", "store"])
def test_retention(database: duckdb.DuckDBPyConnection, order: pd.DataFrame, channel: str) -> None:
    found = database.sql(
        f"""
        select cohort_month, age_months as age, cohort_users as users, retained_users as retained,
            repurchase_30d_rate as again_30, repurchase_60d_rate as again_60, repurchase_90d_rate as again_90,
            repurchase_180d_rate as again_180, active_retention_rate as active_retention,
            retained_users / cohort_users - retention_rate as difference, is_complete
        from marts.mart_user_retention where basis = 'purchase' and channel = '{channel}'
        """
    ).df()
    expected = oracle.retention(order)
    expected["cohort_month"] = expected["cohort"].dt.to_timestamp()
    columns = ["cohort_month", "age", "users", "retained", "active_retention"]
    columns += [f"again_{days}" for days in (30, 60, 90, 180)]
    _same(found, expected[columns], ["cohort_month", "age"], within=1e-12)
    assert found["is_complete"].all() and found["difference"].abs().max() < 1e-12


def test_abc(database: duckdb.DuckDBPyConnection, line: pd.DataFrame) -> None:
    found = database.sql(
        """
        select sku_id, abc_month, (net_revenue_amount * 100)::bigint as paid, revenue_class, category_class,
            category_id as category, margin_class
        from marts.mart_product_abc
        """
    ).df()
    expected = oracle.abc(line, oracle.categories())
    expected["abc_month"] = expected["month"].dt.to_timestamp()
    columns = ["sku_id", "abc_month", "paid", "revenue_class", "category_class", "category"]
    _same(found, expected[columns], ["abc_month", "sku_id"])
    assert found["margin_class"].isna().all()


def test_products(database: duckdb.DuckDBPyConnection) -> None:
    found = database.sql("select sku_id, category_id as category, is_in_catalogue from unified.dim_products").df()
    expected = oracle.categories().rename_axis("sku_id").rename("category").reset_index()
    expected["is_in_catalogue"] = expected["sku_id"].isin(
        oracle.SILO + oracle.load("products")["product_id"].astype(str)
    )
    _same(found, expected, ["sku_id"])


def test_campaigns(database: duckdb.DuckDBPyConnection) -> None:
    found = database.sql(
        "select source_campaign_id::bigint as campaign_id, start_date, end_date, reached_users "
        "from unified.dim_campaigns"
    ).df()
    expected = oracle.load("campaign_descriptions").drop(columns="campaign_type")
    reached = oracle.load("campaigns").groupby("campaign_id")["household_id"].nunique()
    expected["reached_users"] = expected["campaign_id"].map(reached).fillna(0).astype("int64")
    _same(found, expected, ["campaign_id"])
    skus = database.sql("select campaign_id, sku_id, coupon_count from unified.bridge_campaign_skus").df()
    coupons = oracle.load("coupons").drop_duplicates()
    counted = coupons.groupby(["campaign_id", "product_id"]).size().rename("coupon_count").reset_index()
    counted["sku_id"] = oracle.SILO + counted["product_id"].astype(str)
    counted["campaign_id"] = oracle.SILO + counted["campaign_id"].astype(str)
    _same(skus, counted[["campaign_id", "sku_id", "coupon_count"]], ["campaign_id", "sku_id"])


def test_coupons_and_touches(database: duckdb.DuckDBPyConnection) -> None:
    found = database.sql(
        """
        select source_user_id::bigint as household_id, source_coupon_id::bigint as coupon_upc,
            split_part(campaign_id, ':', 2)::bigint as campaign_id, redeemed_date as redemption_date
        from unified.fct_coupons
        """
    ).df()
    expected = oracle.load("coupon_redemptions")
    _same(found, expected, ["household_id", "coupon_upc", "campaign_id", "redemption_date"])
    touches = database.sql("select count(*), count(distinct user_id) from unified.fct_user_touches").fetchall()
    sent = oracle.load("campaigns")
    assert touches == [(len(sent), sent["household_id"].nunique())]


def test_promotions(database: duckdb.DuckDBPyConnection) -> None:
    """A hundredth of the products, in pandas; all of them would need 3 GB."""
    some = pd.read_parquet(oracle.package_file("promotions"), filters=[("product_id", "<", 200_000)])
    assert len(some) > 10_000
    some["promoted"] = 1
    flags = some.assign(
        displayed=some["display_location"] != "0",
        mailed=some["mailer_location"] != "0",
    )
    stores = flags.groupby(["product_id", "week", "store_id"])[["displayed", "mailed"]].any().reset_index()
    weekly = stores.groupby(["product_id", "week"]).agg(
        promoted_stores=("store_id", "count"), displaying_stores=("displayed", "sum"), mailer_stores=("mailed", "sum")
    )
    weekly = weekly.reset_index()
    monday = pd.Timestamp("2017-01-02") + pd.to_timedelta((weekly["week"] - 2) * 7, unit="D")
    weekly["week_begin"] = monday.where(weekly["week"] > 1, pd.Timestamp("2017-01-01"))
    weekly["sku_id"] = oracle.SILO + weekly["product_id"].astype(str)
    found = database.sql(
        """
        select sku_id, week_begin, promoted_stores, displaying_stores, mailer_stores
        from unified.fct_product_promotions where split_part(sku_id, ':', 2)::bigint < 200000
        """
    ).df()
    columns = ["sku_id", "week_begin", "promoted_stores", "displaying_stores", "mailer_stores"]
    _same(found, weekly[columns], ["sku_id", "week_begin"])


def test_tables_of_missing_silos_are_there_typed_and_empty(database: duckdb.DuckDBPyConnection) -> None:
    for table in ("fct_user_events", "fct_refunds", "fct_inventory_daily", "fct_shipments", "fct_weather_daily"):
        assert database.sql(f"select count(*) from unified.{table}").fetchall() == [(0,)]
    types = dict(
        database.sql("select column_name, data_type from duckdb_columns() where table_name = 'fct_refunds'").fetchall()
    )
    assert types["refund_amount"] == "DECIMAL(18,2)" and types["refunded_at"] == "TIMESTAMP"
