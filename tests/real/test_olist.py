"""The published release of a real marketplace against pandas: row for row, money to the cent, all that differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

from tests.real import olist_oracle as oracle
from tests.real.comparison import assert_no_rows, assert_same, assert_table

Database = duckdb.DuckDBPyConnection

pytestmark = pytest.mark.real

FILLED = {
    "bridge_supplier_skus",
    "bridge_user_identities",
    "dim_categories",
    "dim_channels",
    "dim_dates",
    "dim_merchants",
    "dim_policies",
    "dim_products",
    "dim_regions",
    "dim_suppliers",
    "dim_users",
    "fct_order_lines",
    "fct_orders",
    "fct_payments",
    "fct_product_daily",
    "fct_product_reviews",
    "fct_shipments",
}
# A person by the smallest id of its orders, whatever the release calls it.
FIRST_ORDERS = """
    inner join (
        select user_id, min(source_order_id) as first_order_id from unified.fct_orders group by user_id
    ) as first_orders using (user_id)
"""
FIRST_ORDER = {"first_order_id": "first_orders.first_order_id"}


def _manifest(release: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((release.parent / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def _check(release: Path, table: str, name: str) -> dict[str, Any]:
    """The outcome of a check of this release."""
    results = json.loads((release.parent / "checks" / "results.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = [each for each in results if (each["table"], each["name"]) == (table, name)]
    assert len(found) == 1
    return found[0]


def _reported(database: Database, table: str, name: str) -> set[str]:
    """The orders that a check of unified finds, all of them: the results keep samples only."""
    text = (oracle.PROJECT / "expectations" / "unified" / f"{table}.yml").read_text(encoding="utf-8")
    entries = {entry["name"]: entry for entry in yaml.safe_load(text)["expectations"]}
    query = entries[name]["kwargs"]["query"].replace("{batch}", f"unified.{table}")
    prefix = f"{oracle.SILO}:"
    return {order.removeprefix(prefix) for (order,) in database.sql(f"select order_id from ({query})").fetchall()}


@pytest.mark.usefixtures("olist_files")
def test_published_figures_of_the_subset() -> None:
    """The files are those that SOURCE.txt describes."""
    both = oracle.reconciliation()
    assert (len(oracle.orders()), len(oracle.lines()), len(oracle.payments())) == (29_908, 33_428, 31_545)
    assert (len(both), both["agrees"].sum()) == (29_132, 29_047)


def test_published_figures_of_the_release(olist: Database) -> None:
    tables = ("fct_orders", "fct_order_lines", "fct_payments", "dim_users")
    counts = tuple(olist.sql(f"select count(*) from unified.{table}").fetchall()[0][0] for table in tables)
    assert counts == (29_908, 33_428, 31_545, oracle.orders()["person"].nunique())


# What does not add up


def test_the_release_reports_every_order_whose_payments_differ(olist: Database, olist_release: Path) -> None:
    both = oracle.reconciliation()
    differing = set(both.loc[~both["agrees"], "order_id"])
    check = _check(olist_release, "fct_payments", "payments_make_up_the_order")
    assert (check["severity"], check["status"], check["observed"]["observed_value"]) == ("warning", "failed", 85)
    assert _reported(olist, "fct_payments", "payments_make_up_the_order") == differing
    amounts = both.set_index("order_id")
    assert check["samples"]
    for sample in check["samples"]:
        order = amounts.loc[sample["order_id"].removeprefix(f"{oracle.SILO}:")]
        shown = (round(float(sample["order_amount"]) * 100), round(float(sample["payments_amount"]) * 100))
        assert shown == (order["due"], order["paid"])


def test_reconciliation_from_the_release_alone(olist: Database) -> None:
    """As an analyst would do it."""
    found = olist.sql(
        """
        with payments as (select order_id, sum(paid_amount) as amount from unified.fct_payments group by order_id)
        select count(*), count(*) filter (where abs(orders.gmv_amount - payments.amount) <= 0.02)
        from unified.fct_orders as orders
        inner join payments using (order_id)
        where orders.line_count > 0
        """
    ).fetchone()
    assert found == (29_132, 29_047)


def test_the_release_reports_paid_orders_without_lines(olist: Database, olist_release: Path) -> None:
    orders = oracle.orders()
    empty = set(orders.loc[orders["is_paid"] & (orders["line_count"] == 0), "source_order_id"])
    assert _reported(olist, "fct_orders", "paid_orders_have_lines") == empty
    assert _check(olist_release, "fct_orders", "paid_orders_have_lines")["observed"]["observed_value"] == len(empty)


def test_a_deposit_is_no_difference_and_two_cents_are_none() -> None:
    """What no order of Olist shows: the check is every merchant's."""
    with duckdb.connect() as database:
        database.execute(
            """
            create schema unified;
            create table unified.fct_orders as from (values
                ('deposit', false, 1, 100.00, 0.00), ('unpaid', false, 1, 100.00, 0.00),
                ('cents', true, 1, 100.00, 100.00), ('three_cents', true, 1, 100.00, 100.00),
                ('parts', true, 2, 100.00, 100.00), ('empty', true, 0, 0.00, 0.00)
            ) as orders (order_id, is_paid, line_count, gmv_amount, paid_amount);
            alter table unified.fct_orders add column silo varchar;
            alter table unified.fct_orders add column placed_date date;
            create table unified.fct_payments as from (values
                ('deposit', 'deposit', 20.00), ('unpaid', 'full', 90.00), ('cents', 'full', 99.98),
                ('three_cents', 'full', 100.03), ('parts', 'deposit', 20.00), ('parts', 'balance', 80.00),
                ('empty', 'full', 50.00)
            ) as payments (order_id, payment_kind, paid_amount)
            """
        )
        assert _reported(database, "fct_payments", "payments_make_up_the_order") == {"unpaid", "three_cents"}


# Every table


def test_only_the_tables_that_olist_tells_have_rows(olist: Database) -> None:
    names = olist.sql(
        "select table_name from information_schema.tables where table_schema = 'unified' order by all"
    ).fetchall()
    filled = {name for (name,) in names if olist.sql(f"select 1 from unified.{name} limit 1").fetchall()}
    assert filled == FILLED


def test_orders(olist: Database) -> None:
    expected = oracle.orders().drop(columns="person")
    expected = expected.assign(
        order_id=oracle.SILO + ":" + expected["source_order_id"],
        silo=oracle.SILO,
        channel="olist",
        channel_group="public",
        order_type="normal",
        discount_amount=0,
        third_party_discount_amount=0,
        refund_amount=0,
    )
    assert_table(olist, "unified.fct_orders", expected, ["source_order_id"])


def test_order_totals_by_date_and_status(olist: Database) -> None:
    keys = ["placed_date", "order_status"]
    grouped = oracle.orders().groupby(keys)
    expected = grouped[["gmv_amount", "paid_amount", "shipping_amount", "units"]].sum()
    expected["orders"] = grouped.size()
    found = olist.sql(
        """
        select placed_date, order_status, count(*) as orders, sum(units)::bigint as units,
            (sum(gmv_amount) * 100)::bigint as gmv_amount, (sum(paid_amount) * 100)::bigint as paid_amount,
            (sum(shipping_amount) * 100)::bigint as shipping_amount
        from unified.fct_orders group by all
        """
    ).df()
    assert_same(found, expected.reset_index(), keys, "totals of fct_orders")


def test_order_lines(olist: Database) -> None:
    expected = oracle.lines().drop(columns="freight_cents")
    expected = expected.assign(
        order_line_id=oracle.SILO + ":" + expected["source_order_id"] + ":" + expected["source_line_id"],
        sku_id=oracle.SILO + ":" + expected["source_sku_id"],
        channel_group="public",
        is_gift=False,
        refund_amount=0,
    )
    assert_table(olist, "unified.fct_order_lines", expected, ["source_order_id", "source_line_id"])
    known = "cost_amount is not null and is_paid or cost_amount <> 0 and not is_paid"
    assert_no_rows(olist, f"from unified.fct_order_lines where {known} limit 100", "costs of lines")


def test_payments(olist: Database) -> None:
    expected = oracle.payments()
    assert_table(olist, "unified.fct_payments", expected, ["payment_id"])


def test_payment_totals_by_method_and_date(olist: Database) -> None:
    keys = ["payment_method", "paid_date"]
    known = oracle.payments().fillna({"payment_method": "unknown", "paid_date": pd.Timestamp("1970-01-01")})
    grouped = known.groupby(keys)["paid_amount"]
    expected = pd.DataFrame({"paid_amount": grouped.sum(), "payments": grouped.size()}).reset_index()
    found = olist.sql(
        """
        select coalesce(payment_method, 'unknown') as payment_method,
            coalesce(paid_date, date '1970-01-01') as paid_date,
            (sum(paid_amount) * 100)::bigint as paid_amount, count(*) as payments
        from unified.fct_payments group by all
        """
    ).df()
    assert_same(found, expected, keys, "totals of fct_payments")


def test_reviews(olist: Database) -> None:
    """Comments of several lines, repeated review ids and answers to orders of many SKUs among them."""
    expected = oracle.reviews()
    assert expected["review_text"].str.contains("\n").any()
    assert_table(olist, "unified.fct_product_reviews", expected, ["review_id"])


def test_reviews_are_of_their_orders_buyers(olist: Database) -> None:
    query = """
        from unified.fct_product_reviews as reviews
        left join unified.fct_orders as orders using (order_id)
        where reviews.user_id is distinct from orders.user_id or reviews.user_id is null
        limit 100
    """
    assert_no_rows(olist, query, "reviews of somebody else")


@pytest.mark.parametrize("table", ["fct_orders", "fct_order_lines"])
def test_persons_are_those_that_the_files_name(olist: Database, table: str) -> None:
    found = olist.sql(f"select distinct source_order_id, user_id, source_user_id from unified.{table}").df()
    named = found.merge(oracle.orders()[["source_order_id", "person"]], on="source_order_id")
    pairs = named[["user_id", "source_user_id", "person"]].drop_duplicates()
    assert len(named) == len(found)
    assert pairs["person"].nunique() == pairs["user_id"].nunique() == pairs["source_user_id"].nunique() == len(pairs)


def test_users(olist: Database) -> None:
    assert_table(olist, "unified.dim_users", oracle.users(), ["first_order_id"], FIRST_ORDER, FIRST_ORDERS)


def test_products(olist: Database) -> None:
    expected = oracle.products()
    assert_table(olist, "unified.dim_products", expected, ["source_sku_id"])
    assert (expected["department"] == oracle.UNKNOWN).sum() == 610


def test_categories(olist: Database) -> None:
    assert_table(olist, "unified.dim_categories", oracle.categories(), ["category_id"])


def test_regions(olist: Database) -> None:
    assert_table(olist, "unified.dim_regions", oracle.regions(), ["region_id"])


def test_suppliers_are_the_sellers(olist: Database) -> None:
    assert_table(olist, "unified.dim_suppliers", oracle.suppliers(), ["supplier_id"])
    assert_table(olist, "unified.bridge_supplier_skus", oracle.supplier_skus(), ["supplier_id", "sku_id"])


def test_shipments(olist: Database) -> None:
    assert_table(olist, "unified.fct_shipments", oracle.shipments(), ["order_id"])


def test_product_daily(olist: Database) -> None:
    expected = oracle.product_daily()
    expected = expected.assign(sku_id=oracle.SILO + ":" + expected["source_sku_id"]).drop(columns="source_sku_id")
    assert_table(olist, "unified.fct_product_daily", expected, ["sku_id", "activity_date"])


@pytest.mark.parametrize("group", ["public", "all"])
def test_kpi_daily(olist: Database, group: str) -> None:
    expected = oracle.kpi_daily()
    amounts = "(gmv_amount * 100)::bigint as gmv_amount, (paid_amount * 100)::bigint as paid_amount"
    found = olist.sql(
        f"""
        select kpi_date, {amounts}, placed_orders, paid_orders, units, buyers, new_buyers
        from marts.mart_kpi_daily
        where channel_group = '{group}' and (placed_orders > 0 or paid_orders > 0)
        """
    ).df()
    assert_same(found, expected, ["kpi_date"], f"mart_kpi_daily of {group}")


def test_deliveries_on_time(olist: Database) -> None:
    found = olist.sql(
        """
        select kpi_date, on_time_delivery_rate from marts.mart_kpi_daily
        where channel_group = 'all' and on_time_delivery_rate is not null
        """
    ).df()
    assert_same(found, oracle.on_time_rates(), ["kpi_date"], "on_time_delivery_rate")


# The moment and the ledger


def test_as_of_is_the_latest_answer(olist: Database) -> None:
    moment = oracle.as_of()
    expected = pd.DataFrame({"merchant": [oracle.SILO], "as_of": [moment]})
    expected = expected.assign(
        as_of_date=moment.tz_localize("UTC").tz_convert(oracle.ZONE).tz_localize(None).normalize(),
        time_zone=oracle.ZONE,
        currency="BRL",
    )
    assert_table(olist, "unified.dim_merchants", expected, ["merchant"])


def test_manifest_counts_every_row_read(olist_release: Path) -> None:
    found = pd.DataFrame.from_dict(_manifest(olist_release)["sources"], orient="index").rename_axis("table")
    found = found.reset_index()
    found["table"] = found["table"].str.removeprefix(f"{oracle.SILO}.")
    assert_same(found, oracle.source_counts(), ["table"], "sources of the manifest")


def test_nothing_but_warnings(olist_release: Path) -> None:
    assert _manifest(olist_release)["checks"]["failed"] == 0
