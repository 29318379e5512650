"""What changes today moves nothing of yesterday: not what orders cost, levels, terms, nor the margin of a day."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.transform.test_dbt_unit_tests import prepare
from zhongtai import settings
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings
from zhongtai.transform import Transform

SILOS = ("storefront", "crm", "erp")
# What tells margins by day.
DAILY = {
    "marts.mart_kpi_daily": "kpi_date",
    "marts.mart_channel_performance": "activity_date",
    "unified.fct_product_daily": "activity_date",
}
SELECTED = ["+fct_order_lines", "+fct_orders", "+fct_purchase_lines"]
# Cost, margin and level: 2 units of SKU k1 at 10 each, which cost 4 each.
OLD_ORDER = {"o1": (Decimal("8.00"), Decimal("12.00"), "V1")}
# Lead time, hours to confirm, price.
OLD_PURCHASE = {"p1": (7.0, 24.0, Decimal("4.00"))}


@pytest.fixture
def installation(tmp_path: Path) -> Settings:
    """This checkout, with data in a temporary home."""
    return replace(settings.load(), home=tmp_path)


@pytest.fixture
def merchant(installation: Settings) -> Merchant:
    """A merchant with a shop, member cards and an ERP, of which nothing has come yet."""
    merchant = Merchant.model_validate(
        {
            "name": "small",
            "title": "Small",
            "time_zone": "UTC",
            "currency": "CNY",
            "locale": "zh_CN",
            "silos": {silo: {"path": f"silos/{silo}"} for silo in SILOS},
            "file": installation.home / "small.yml",
            "home": installation.home / "small",
        }
    )
    prepare(merchant, installation)
    return merchant


def land(merchant: Merchant, position: int, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Adds rows to raw tables; columns that are not named are NULL."""
    with duckdb.connect(str(merchant.database)) as connection:
        for table, of_table in rows.items():
            for row in of_table:
                named = {**row, "_first_position": position}
                columns, places = ", ".join(named), ", ".join("?" for _ in named)
                connection.execute(f"insert into raw_{table} ({columns}) values ({places})", list(named.values()))


def order(order_id: str, placed_at: str) -> dict[str, list[dict[str, Any]]]:
    """Raw rows of a paid order of two units of k1 by the member."""
    moments = {"placed_at": placed_at}
    head = {"order_id": order_id, "user_id": "u1", "paid_at": placed_at, "status": "paid", "order_type": "normal"}
    amounts = {"units": 2, "list_amount": 20, "discount_amount": 0, "payable_amount": 20, "is_gift": False}
    line = {"order_line_id": f"{order_id}-1", "order_id": order_id, "sku_id": "k1"}
    return {
        "storefront.orders": [{**head, **moments, "channel": "direct", "shipping_amount": 0, "updated_at": placed_at}],
        "storefront.order_lines": [{**line, **amounts, **moments}],
    }


def purchase(line_id: str, created_at: str) -> dict[str, list[dict[str, Any]]]:
    """Raw rows of a purchase of k1 from s1."""
    moment = {"created_at": created_at}
    head = {"purchase_order_id": f"{line_id}-order", "supplier_id": "s1", "status": "created", "updated_at": created_at}
    line = {"purchase_line_id": line_id, "purchase_order_id": f"{line_id}-order", "sku_id": "k1"}
    return {
        "erp.purchase_orders": [{**head, **moment}],
        "erp.purchase_lines": [{**line, **moment, "ordered_units": 5, "unit_amount": 4}],
    }


def conditions(updated_at: str, cost: int, lead_time_days: int, hours: int, level: str) -> dict[str, Any]:
    """Raw rows of one version each of SKU, supplier's terms and member card."""
    terms = {"lead_time_days": lead_time_days, "minimum_order_units": 1, "response_hours": hours, "price_amount": cost}
    card = {"card_no": "c1", "unionid": "w1", "joined_at": "2024-05-01", "level": level}
    return {
        "erp.skus": [{"sku_id": "k1", "product_id": "p", "cost_amount": cost, "updated_at": updated_at}],
        "erp.supplier_terms": [
            {"supplier_id": "s1", "sku_id": "k1", **terms, "is_ended": False, "updated_at": updated_at}
        ],
        "crm.members": [{**card, "updated_at": updated_at}],
    }


def built(merchant: Merchant, installation: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """After a build: cost, margin and level by order, agreed terms by purchase line."""
    results = Transform(merchant, installation).build(SELECTED)
    assert [f"{result.name}: {result.message}" for result in results if not result.is_ok] == []
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        orders = connection.execute(
            "select orders.source_order_id, lines.cost_amount, lines.net_revenue_amount - lines.cost_amount, "
            "orders.member_level from unified.fct_orders as orders join unified.fct_order_lines as lines "
            "using (order_id)"
        ).fetchall()
        purchases = connection.execute(
            "select split_part(purchase_line_id, ':', 2), agreed_lead_time_days, agreed_response_hours, "
            "agreed_unit_amount from unified.fct_purchase_lines"
        ).fetchall()
    return {name: tuple(found) for name, *found in orders}, {line: tuple(terms) for line, *terms in purchases}


def test_what_changes_today_moves_nothing_of_yesterday(merchant: Merchant, installation: Settings) -> None:
    """On June 1 k1 costs 9 instead of 4, s1 takes 3 days longer and answers later, and the buyer rises to V3."""
    account = {"user_id": "u1", "unionid": "w1", "registered_at": "2024-05-01", "updated_at": "2024-05-01"}
    supplier = {"supplier_id": "s1", "supplier_name": "One", "updated_at": "2024-05-01"}
    land(merchant, 1, {"storefront.users": [account], "erp.suppliers": [supplier]})
    land(merchant, 2, conditions("2024-05-01", cost=4, lead_time_days=7, hours=24, level="V1"))
    land(merchant, 3, order("o1", "2024-05-10 10:00:00") | purchase("p1", "2024-05-11 10:00:00"))
    assert built(merchant, installation) == (OLD_ORDER, OLD_PURCHASE)

    land(merchant, 4, conditions("2024-06-01", cost=9, lead_time_days=10, hours=48, level="V3"))
    land(merchant, 5, order("o2", "2024-06-10 10:00:00") | purchase("p2", "2024-06-11 10:00:00"))
    orders, purchases = built(merchant, installation)

    assert orders == {**OLD_ORDER, "o2": (Decimal("18.00"), Decimal("2.00"), "V3")}
    assert purchases == {**OLD_PURCHASE, "p2": (10.0, 48.0, Decimal("9.00"))}


def days_until(merchant: Merchant, installation: Settings, as_of_date: str, last: str) -> dict[str, list[Any]]:
    """Every row of what tells margins by day, up to a day, as of another."""
    with duckdb.connect(str(merchant.database)) as connection:
        moment = f"as_of = timestamp '{as_of_date} 12:00:00', as_of_date = date '{as_of_date}'"
        connection.execute(f"update raw_zhongtai.run_context set {moment}")
    results = Transform(merchant, installation).build([f"+{table.split('.')[1]}" for table in DAILY], tests="empty")
    assert [f"{result.name}: {result.message}" for result in results if not result.is_ok] == []
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        queries = {table: f"from {table} where {day} <= date '{last}' order by all" for table, day in DAILY.items()}
        return {table: connection.execute(query).fetchall() for table, query in queries.items()}


def margins(merchant: Merchant, table: str) -> dict[str, Decimal]:
    """Margin by day, of days that have one; of the groups of channels their sum alone."""
    where = "where channel_group = 'all'" if table == "marts.mart_kpi_daily" else ""
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        rows = connection.execute(
            f"select {DAILY[table]}::varchar, sum(gross_margin_amount) as margin from {table} {where} "
            "group by all having margin <> 0"
        ).fetchall()
    return dict(rows)


def test_a_refund_moves_no_margin_of_the_days_before_it(merchant: Merchant, installation: Settings) -> None:
    """One of two units at 10, which cost 4 each, comes back on June 3, when a unit costs 9: that day has -10 + 4."""
    account = {"user_id": "u1", "registered_at": "2024-05-01", "updated_at": "2024-05-01"}
    land(merchant, 1, {"storefront.users": [account]})
    land(merchant, 2, conditions("2024-05-01", cost=4, lead_time_days=7, hours=24, level="V1"))
    land(merchant, 3, order("o1", "2024-05-10 10:00:00"))
    before = days_until(merchant, installation, as_of_date="2024-05-20", last="2024-05-20")
    assert {table: margins(merchant, table) for table in DAILY} == {table: {"2024-05-10": 12} for table in DAILY}

    land(merchant, 4, conditions("2024-06-01", cost=9, lead_time_days=7, hours=24, level="V1"))
    given_back = {"refund_id": "r1", "order_id": "o1", "order_line_id": "o1-1", "refund_amount": 10, "refund_units": 1}
    land(merchant, 5, {"storefront.refunds": [{**given_back, "refunded_at": "2024-06-03 10:00:00"}]})

    assert days_until(merchant, installation, as_of_date="2024-06-05", last="2024-05-20") == before
    for table in DAILY:
        assert margins(merchant, table) == {"2024-05-10": 12, "2024-06-03": -6}, table
