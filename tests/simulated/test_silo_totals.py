"""Counts and totals of the unified facts are those of the silos' files, by silo and business date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.real.comparison import assert_same, assert_table
from tests.simulated import expected
from tests.simulated.contracts import contracts
from tests.simulated.silo_files import business_date

pytestmark = pytest.mark.silos


@dataclass(frozen=True)
class Fact:
    """A unified fact and where its rows come from.

    Attributes:
        table: in the schema unified.
        on: the date by which it is summed up; "" for none.
        rows: gives the expected rows with silo, the date and the measures.
        measures: what is summed; SQL by name where the fact has no such column.
        where: SQL that leaves rows of the fact out.
    """

    table: str
    on: str
    rows: Callable[[Path], pd.DataFrame]
    measures: tuple[str, ...] = ()
    sql: tuple[tuple[str, str], ...] = ()
    where: str = "true"


def raw(silo: str, *tables: str, at: str = "", on: str = "", **names: str) -> Callable[[Path], pd.DataFrame]:
    """Rows straight from a table of one silo, or of several silos.

    Args:
        at: the moment whose business date is `on`; a date is one already.
        names: the contract's column by the fact's.
    """
    pairs = [(silo, table) for table in tables]

    def found(silos: Path) -> pd.DataFrame:
        parts = [expected.rows(silos, one, table).assign(silo=one) for one, table in pairs]
        frame = pd.concat(parts, ignore_index=True).rename(columns={old: new for new, old in names.items()})
        if on:
            moments = frame[at or on]
            frame[on] = moments if contracts_say_date(*pairs[0], at or on) else business_date(moments)
        return frame

    return found


def contracts_say_date(silo: str, table: str, column: str) -> bool:
    """Whether the contract's column is a date, not a moment."""
    kinds = {one.name: one.data_type for one in contracts()[silo, table].columns}
    return kinds.get(column) != "timestamp"


def reviews(silos: Path) -> pd.DataFrame:
    parts = [
        raw(silo, "reviews", at="reviewed_at", on="reviewed_date")(silos) for silo in ("storefront", "marketplace")
    ]
    return pd.concat(parts, ignore_index=True)


def paid(rows: Callable[[Path], pd.DataFrame]) -> Callable[[Path], pd.DataFrame]:
    return lambda silos: rows(silos).dropna(subset="paid_at")


def purchase_lines(silos: Path) -> pd.DataFrame:
    lines = raw("erp", "purchase_lines", at="created_at", on="created_date")(silos)
    shipped = expected.rows(silos, "erp", "asn").groupby("purchase_line_id")["shipped_units"].sum()
    return lines.assign(
        shipped_units=lines["purchase_line_id"].map(shipped).fillna(0).astype("int64"),
        ordered_amount=lines["ordered_units"] * lines["unit_amount"],
    )


def supplier_invoices(silos: Path) -> pd.DataFrame:
    heads = expected.rows(silos, "erp", "supplier_invoices")[["invoice_id", "invoiced_date"]]
    return expected.rows(silos, "erp", "invoice_lines").assign(silo="erp").merge(heads, on="invoice_id")


def redeemed(silos: Path) -> pd.DataFrame:
    found = raw("storefront", "coupons", at="redeemed_at", on="redeemed_date")(silos)
    return found.dropna(subset="redeemed_at").assign(order_count=1)


AMOUNTS = ("units", "list_amount", "discount_amount", "third_party_discount_amount", "gmv_amount", "refund_amount")
FACTS = {
    "orders placed": Fact("fct_orders", "placed_date", expected.orders, (*AMOUNTS, "shipping_amount", "line_count")),
    "orders paid": Fact("fct_orders", "paid_date", paid(expected.orders), ("paid_amount",), where="is_paid"),
    "lines placed": Fact("fct_order_lines", "placed_date", expected.order_lines, AMOUNTS),
    "lines paid": Fact("fct_order_lines", "paid_date", paid(expected.order_lines), ("paid_amount",), where="is_paid"),
    "refunds": Fact("fct_refunds", "refunded_date", expected.refunds, ("refund_amount", "refund_units")),
    "payments": Fact("fct_payments", "paid_date", expected.payments, ("paid_amount",)),
    "reservations": Fact(
        "fct_presale_reservations",
        "reserved_date",
        raw("storefront", "presale_reservations", at="reserved_at", on="reserved_date"),
        ("units", "deposit_amount"),
    ),
    "stock": Fact(
        "fct_inventory_daily", "stock_date", expected.inventory, ("on_hand_units", "locked_units", "in_transit_units")
    ),
    "shipments": Fact(
        "fct_shipments",
        "shipped_date",
        expected.shipments,
        ("cost_amount", "is_delivered", "is_on_time"),
        (("is_delivered", "(delivered_at is not null)::int"), ("is_on_time", "coalesce(is_on_time, false)::int")),
    ),
    "scans": Fact(
        "fct_tracking_events",
        "tracked_date",
        raw("logistics", "tracking_events", at="tracked_at", on="tracked_date"),
    ),
    "spend": Fact(
        "fct_ad_spend",
        "spend_date",
        raw("marketing", "ad_spend", on="spend_date", ad_spend_amount="cost_amount"),
        ("ad_spend_amount", "impressions", "clicks"),
    ),
    "purchase lines": Fact(
        "fct_purchase_lines",
        "created_date",
        purchase_lines,
        ("ordered_units", "shipped_units", "ordered_amount"),
        (("shipped_units", "coalesce(shipped_units, 0)"), ("ordered_amount", "ordered_units * unit_amount * 100")),
    ),
    "receipts": Fact(
        "fct_receipts",
        "received_date",
        raw("erp", "receipts", at="received_at", on="received_date"),
        ("received_units", "accepted_units", "rejected_units"),
    ),
    "invoices": Fact(
        "fct_supplier_invoices", "invoiced_date", supplier_invoices, ("invoiced_units", "invoiced_amount")
    ),
    "supplier payments": Fact(
        "fct_supplier_payments",
        "paid_date",
        raw("erp", "supplier_payments", at="paid_at", on="paid_date"),
        ("paid_amount",),
    ),
    "transfers": Fact(
        "fct_stock_transfers",
        "shipped_date",
        raw("erp", "stock_transfers", at="shipped_at", on="shipped_date"),
        ("units", "cost_amount"),
    ),
    "coupons issued": Fact(
        "fct_coupons",
        "issued_date",
        raw("storefront", "coupons", at="issued_at", on="issued_date"),
        ("discount_amount", "threshold_amount"),
    ),
    "coupons redeemed": Fact(
        "fct_coupons",
        "redeemed_date",
        redeemed,
        ("discount_amount", "order_count"),
        (("order_count", "(order_id is not null)::int"),),
        where="is_redeemed",
    ),
    "events": Fact(
        "fct_user_events", "event_date", raw("storefront", "events", at="event_at", on="event_date"), ("dwell_ms",)
    ),
    "reviews": Fact("fct_product_reviews", "reviewed_date", reviews, ("rating",)),
    "touches": Fact("fct_user_touches", "sent_date", raw("crm", "touches", at="sent_at", on="sent_date")),
    "growth": Fact(
        "fct_user_growth", "earned_date", raw("crm", "growth_ledger", at="earned_at", on="earned_date"), ("points",)
    ),
    "group messages": Fact(
        "fct_group_activity", "activity_date", raw("crm", "group_messages", at="posted_at", on="activity_date")
    ),
    "tickets": Fact(
        "fct_service_tickets",
        "opened_date",
        raw("storefront", "service_tickets", at="opened_at", on="opened_date"),
        ("satisfaction",),
    ),
    "assignments": Fact("fct_experiment_assignments", "", raw("marketing", "assignments")),
    "content": Fact(
        "fct_content_daily",
        "stat_date",
        raw("marketing", "content_stats", on="stat_date"),
        ("views", "likes", "shares", "search_entrances"),
    ),
    "store visits": Fact(
        "fct_store_visits", "visited_date", raw("stores", "visits", at="visited_at", on="visited_date")
    ),
    "live minutes": Fact(
        "fct_live_minutes",
        "minute_date",
        raw("live", "session_minutes", at="minute_at", on="minute_date"),
        ("viewers", "likes"),
    ),
    "weather": Fact(
        "fct_weather_daily", "weather_date", raw("weather", "weather_daily", on="weather_date"), ("warning_level",)
    ),
    "competitor prices": Fact(
        "fct_competitor_prices",
        "listed_date",
        raw("market", "competitor_listings", on="listed_date"),
        ("price_amount", "units_sold"),
    ),
    "benchmarks": Fact(
        "fct_industry_benchmarks", "benchmark_month", raw("market", "industry_benchmarks", on="benchmark_month")
    ),
    "trends": Fact("fct_market_trends", "trend_month", raw("market", "category_trends", on="trend_month")),
}


@pytest.mark.parametrize("name", FACTS)
def test_fact_has_the_totals_of_the_files(silos: Path, release: duckdb.DuckDBPyConnection, name: str) -> None:
    fact = FACTS[name]
    keys = ["silo", fact.on] if fact.on else ["silo"]
    rows = fact.rows(silos)
    grouped = rows.groupby(keys, dropna=False)
    wanted = grouped[list(fact.measures)].sum().astype("int64").assign(row_count=grouped.size()).reset_index()
    relation = release.sql(f"from unified.{fact.table}")
    kinds = dict(zip(relation.columns, map(str, relation.types), strict=True))
    sums = []
    for measure in fact.measures:
        cents = f"{measure} * 100" if kinds.get(measure) == "DECIMAL(18,2)" else measure
        sums.append(f"coalesce(sum({dict(fact.sql).get(measure, cents)}), 0)::bigint as {measure}")
    selected = ", ".join([*keys, "count(*) as row_count", *sums])
    found = release.sql(
        f"select {selected} from unified.{fact.table} where {fact.where} group by {', '.join(keys)}"
    ).df()
    assert_same(found, wanted, keys, fact.table)


@pytest.mark.parametrize(
    ("table", "source_id", "rows"),
    [("fct_orders", "order_id", expected.orders), ("fct_order_lines", "order_line_id", expected.order_lines)],
)
def test_every_order_and_line_is_that_of_the_files(
    silos: Path, release: duckdb.DuckDBPyConnection, table: str, source_id: str, rows: Callable[[Path], pd.DataFrame]
) -> None:
    columns = ["silo", source_id, "placed_at", "paid_at", "placed_date", "paid_date", "paid_amount", *AMOUNTS]
    derived = {source_id: "source_order_id" if source_id == "order_id" else "source_line_id"}
    assert_table(release, f"unified.{table}", rows(silos)[columns], ["silo", source_id], derived)


def test_lines_cost_what_a_unit_cost_when_it_was_ordered(silos: Path, release: duckdb.DuckDBPyConnection) -> None:
    wanted = expected.order_lines(silos)[["silo", "order_line_id", "cost_amount"]]
    found = release.sql(
        "select silo, source_line_id as order_line_id, (cost_amount * 100)::bigint as cost_amount "
        "from unified.fct_order_lines"
    ).df()
    assert_same(found, wanted, ["silo", "order_line_id"], "cost of lines")


def test_stock_is_worth_what_a_unit_cost_that_day(silos: Path, release: duckdb.DuckDBPyConnection) -> None:
    keys = ["stock_date", "warehouse_id", "sku_id"]
    found = release.sql(
        "select stock_date, substr(warehouse_id, 5) as warehouse_id, substr(sku_id, 5) as sku_id, "
        "(inventory_value_amount * 100)::bigint as inventory_value_amount from unified.fct_inventory_daily"
    ).df()
    assert_same(found, expected.inventory(silos)[[*keys, "inventory_value_amount"]], keys, "value of stock")


def test_as_of_is_the_latest_moment_that_landed(silos: Path, release: duckdb.DuckDBPyConnection) -> None:
    assert release.sql("select as_of from unified.dim_merchants").fetchone() == (expected.latest(silos),)
