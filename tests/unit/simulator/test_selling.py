"""What the selling silos' files say hangs together."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.unit.simulator.conftest import files_of, good_rows, records, whole_files
from zhongtai.ingest.contract import Contract

SELLING = ("storefront", "marketplace", "live", "stores")
Contracts = dict[tuple[str, str], Contract]
FIRST, LAST = pd.Timestamp("2025-10-02"), pd.Timestamp("2025-11-30 23:59:59")


def amounts(values: pd.Series) -> pd.Series:
    return (pd.to_numeric(values) * 100).round().astype(int)


def local(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values.astype(str).str.replace("/", "-").str.slice(0, 19).str.replace("T", " "))


def test_every_table_is_written_with_the_columns_of_its_contract(home: Path, contracts: Contracts) -> None:
    broken = whole_files(home)
    for (silo, table), contract in contracts.items():
        if silo not in SELLING:
            continue
        files = [file for file in files_of(home, contract) if (silo, file.name) not in broken]
        found = [row for file in files[:20] for row in records(contract, file) if row]
        assert found, f"{silo}.{table} is empty"
        assert all(set(row) == {column.source_name for column in contract.columns} for row in found), (silo, table)


@pytest.mark.parametrize("silo", ["storefront", "marketplace", "live"])
def test_lines_belong_to_orders_and_add_up(home: Path, contracts: Contracts, silo: str) -> None:
    orders = good_rows(home, contracts, silo, "orders")
    lines = good_rows(home, contracts, silo, "order_lines")
    assert set(lines["order_id"]) == set(orders["order_id"])
    assert lines["order_line_id"].is_unique
    subsidy = amounts(lines["platform_subsidy_amount"]) if silo != "storefront" else 0
    due = amounts(lines["list_amount"]) - amounts(lines["discount_amount"]) - subsidy
    assert (due == amounts(lines["payable_amount"])).all()
    assert (due >= 0).all()
    refunds = good_rows(home, contracts, silo, "refunds")
    payable = lines.set_index("order_line_id")["payable_amount"]
    assert (amounts(refunds["refund_amount"]) <= amounts(refunds["order_line_id"].map(payable))).all()


def test_payments_cover_paid_orders(home: Path, contracts: Contracts) -> None:
    orders = (
        good_rows(home, contracts, "storefront", "orders")
        .sort_values("updated_at")
        .drop_duplicates("order_id", keep="last")
    )
    lines = good_rows(home, contracts, "storefront", "order_lines")
    payments = good_rows(home, contracts, "storefront", "payments")
    goods = amounts(lines["payable_amount"]).groupby(lines["order_id"]).sum()
    paid = orders[orders["paid_at"].notna()].set_index("order_id")
    received = amounts(payments["paid_amount"]).groupby(payments["order_id"]).sum()
    assert (received[paid.index] == goods[paid.index] + amounts(paid["shipping_amount"])).all()
    unpaid = set(payments["order_id"]) - set(paid.index)
    assert set(payments.loc[payments["order_id"].isin(unpaid), "payment_kind"]) <= {"deposit"}


def test_versions_of_orders_only_move_on(home: Path, contracts: Contracts) -> None:
    steps = ["created", "paid", "shipped", "completed", "cancelled"]
    orders = good_rows(home, contracts, "storefront", "orders")
    orders["step"] = orders["status"].map(steps.index)
    orders["date"] = local(orders["updated_at"]).dt.date
    assert not orders.duplicated(["order_id", "date"]).any()
    orders = orders.sort_values(["order_id", "updated_at"])
    assert (orders.groupby("order_id")["step"].diff().dropna() > 0).all()


def test_a_storefront_order_has_its_visit(home: Path, contracts: Contracts) -> None:
    events = good_rows(home, contracts, "storefront", "events")
    orders = good_rows(home, contracts, "storefront", "orders").drop_duplicates("order_id")
    lines = good_rows(home, contracts, "storefront", "order_lines")
    by_type = events.groupby("event_type")["session_id"].agg(set)
    assert set(orders["session_id"]) <= by_type["checkout"] & by_type["page_view"]
    bought = lines[~lines["is_gift"]].merge(orders[["order_id", "session_id"]], on="order_id")
    for kind in ("product_view", "add_to_cart"):
        seen = events.loc[events["event_type"] == kind, ["session_id", "sku_id"]].drop_duplicates()
        assert len(bought.merge(seen, on=["session_id", "sku_id"])) == len(bought)
    ends = events.groupby("session_id")["event_at"].max()
    assert (ends[orders["session_id"]].to_numpy() <= orders["placed_at"].to_numpy()).all()


def test_coupons_and_cards_are_known(home: Path, contracts: Contracts) -> None:
    coupons = good_rows(home, contracts, "storefront", "coupons")
    orders = good_rows(home, contracts, "storefront", "orders")
    visits = good_rows(home, contracts, "stores", "visits")
    used = orders.dropna(subset=["coupon_id"]).drop_duplicates("order_id")
    redeemed = coupons.dropna(subset=["redeemed_order_id"])
    assert dict(zip(used["coupon_id"], used["order_id"], strict=True)) == dict(
        zip(redeemed["coupon_id"], redeemed["redeemed_order_id"], strict=True)
    )
    assert len(used) > 0
    shown = visits.dropna(subset=["coupon_id"])
    assert len(shown) > 0
    assert set(shown["coupon_id"]) <= set(coupons.loc[coupons["scope_kind"] == "store", "coupon_id"])
    issued = coupons.drop_duplicates("coupon_id").set_index("coupon_id")["issued_at"]
    assert (local(shown["coupon_id"].map(issued)).to_numpy() <= local(shown["visited_at"]).to_numpy()).all()


def test_nothing_happens_after_the_last_day(home: Path, contracts: Contracts) -> None:
    for (silo, table), contract in contracts.items():
        if silo not in SELLING or contract.event_time is None:
            continue
        rows = good_rows(home, contracts, silo, table)
        for column in contract.columns:
            if column.data_type != "timestamp" or column.name == "expires_at":
                continue
            times = local(rows[column.name].dropna())
            assert (times <= LAST).all(), (silo, table, column.name)
        assert (local(rows[contract.event_time]) >= FIRST).all() or table in ("users", "coupons"), (silo, table)


def test_demand_that_was_not_met_is_known(home: Path) -> None:
    demand = pd.read_parquet(home / "truth" / "demand.parquet")
    assert (demand["sold_units"] <= demand["wanted_units"]).all()
    assert 0.5 < demand["sold_units"].sum() / demand["wanted_units"].sum() < 1
