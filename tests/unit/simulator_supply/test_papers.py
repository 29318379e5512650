"""Orders, notices, receipts, bills and payments refer to each other, and differ only where it was planted."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from tests.unit.simulator_supply.conftest import Merchant


def table(root: Path, name: str) -> pd.DataFrame:
    """A table of the ERP; amounts in cents, which doubles hold exactly."""
    frame = duckdb.sql(f"select * from read_parquet('{root}/erp/{name}_2*.parquet')").df()
    amounts = [column for column in frame.columns if column.endswith("_amount")]
    return frame.assign(**{column: (frame[column] * 100).round() for column in amounts})


def latest(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    return frame.sort_values("updated_at").drop_duplicates(key, keep="last")


def test_papers_refer_to_each_other(root: Path) -> None:
    orders = latest(table(root, "purchase_orders"), "purchase_order_id")
    lines, notices, receipts = (table(root, name) for name in ("purchase_lines", "asn", "receipts"))
    invoices, billed = table(root, "supplier_invoices"), table(root, "invoice_lines")
    payments, skus = table(root, "supplier_payments"), table(root, "skus")
    assert set(lines["purchase_order_id"]) == set(orders["purchase_order_id"])
    assert set(lines["sku_id"]) <= set(skus["sku_id"])
    assert set(notices["purchase_line_id"]) <= set(lines["purchase_line_id"])
    assert set(receipts["purchase_line_id"]) <= set(notices["purchase_line_id"])
    assert set(billed["purchase_line_id"]) <= set(receipts["purchase_line_id"])
    assert set(billed["invoice_id"]) == set(invoices["invoice_id"])
    assert set(payments["invoice_id"]) <= set(invoices["invoice_id"])
    sums = billed.groupby("invoice_id")["invoiced_amount"].sum()
    assert (invoices.set_index("invoice_id")["invoiced_amount"].sort_index() == sums.sort_index()).all()


def test_receipts_agree_with_notices(root: Path) -> None:
    notices, receipts = table(root, "asn"), table(root, "receipts")
    both = receipts.merge(notices, left_on="receipt_id", right_on=notices["asn_id"].str.replace("AN", "RC"))
    assert len(both) == len(receipts)
    assert (both["purchase_line_id_x"] == both["purchase_line_id_y"]).all()
    assert (both["received_units"] == both["shipped_units"]).all()
    assert (both["received_units"] == both["accepted_units"] + both["rejected_units"]).all()
    assert (both["received_at"] > both["shipped_at"]).all()


def test_bills_differ_where_planted_and_nowhere_else(small: Merchant, root: Path) -> None:
    lines, billed = table(root, "purchase_lines"), table(root, "invoice_lines")
    accepted = table(root, "receipts").groupby("purchase_line_id")["accepted_units"].sum()
    both = billed.merge(lines, on="purchase_line_id")
    units = both["purchase_line_id"].map(accepted)
    fits = (both["invoiced_units"] == units) & (both["invoiced_amount"] == both["unit_amount"] * units)
    planted = small.world.truth["invoice_mismatches"]
    assert set(both.loc[~fits, "invoice_line_id"]) == set(planted["invoice_line_id"])
    assert set(planted["kind"]) <= {"price", "units"}


def test_nobody_is_paid_more_than_billed(root: Path) -> None:
    invoices = table(root, "supplier_invoices").set_index("invoice_id")
    paid = table(root, "supplier_payments").groupby("invoice_id")["paid_amount"].sum()
    assert (paid <= invoices["invoiced_amount"].loc[paid.index]).all()


def test_orders_go_through_their_stages(root: Path) -> None:
    orders = table(root, "purchase_orders")
    assert (orders["created_at"] >= orders["triggered_at"]).all()
    assert (orders["confirmed_at"].isna() | (orders["confirmed_at"] >= orders["created_at"])).all()
    assert orders["confirmed_at"].isna().eq(orders["status"].isin(["created", "cancelled"])).all()


def test_good_core_suppliers_keep_the_clock(year: Merchant) -> None:
    result, suppliers = year.fulfilment, year.world.suppliers
    order = result.lines["order"].to_numpy()[result.deliveries["line"]]
    triggered = result.orders["triggered_at"].to_numpy()[order]
    hours = (result.deliveries["received_at"].to_numpy() - triggered).astype("timedelta64[h]").astype(int)
    row = suppliers.iloc[result.orders["supplier"].to_numpy()[order]]
    kept = pd.Series(hours <= 48).groupby([row["is_core"].to_numpy(), row["quality"].to_numpy()]).mean()
    assert kept[True, "good"] > 0.85
    assert kept[True, "bad"] < kept[True, "good"] - 0.2
    changes = year.world.at(suppliers["changes_day"].max(), 0)
    changing = (row["quality"] == "changing").to_numpy()
    late = triggered >= changes
    assert (hours[changing & late] <= 48).mean() < (hours[changing & ~late] <= 48).mean() - 0.2


def test_prices_of_orders_are_the_terms_of_their_day(root: Path) -> None:
    query = f"""
        select count(*) as lines, count(terms.price_amount) filter (lines.unit_amount = terms.price_amount) as same
        from read_parquet('{root}/erp/purchase_lines_*') as lines
        inner join read_parquet('{root}/erp/purchase_orders_*') as orders
            on lines.purchase_order_id = orders.purchase_order_id and orders.status = 'created'
        asof left join read_parquet('{root}/erp/supplier_terms_*') as terms
            on
                orders.supplier_id = terms.supplier_id
                and lines.sku_id = terms.sku_id
                and orders.triggered_at >= terms.updated_at
    """
    found = duckdb.sql(query).fetchone()
    assert found is not None
    assert found[0] > 0
    assert found[0] == found[1]


def test_suppliers_agree_anew_where_planted_and_nowhere_else(small: Merchant, root: Path) -> None:
    planted = small.world.truth["renegotiated_terms"].set_index("supplier_id")
    terms = table(root, "supplier_terms").sort_values("updated_at", kind="stable")
    days = terms.groupby("supplier_id")["lead_time_days"].agg(["first", "last", "nunique"])
    changed = days[days["nunique"] > 1]
    assert set(changed.index) == set(planted.index)
    assert (changed["last"] - changed["first"]).to_dict() == planted["more_lead_days"].to_dict()
    # Moments are UTC, and the merchant's day begins eight hours earlier.
    moments = terms["supplier_id"].map(planted["changed_date"]) - pd.Timedelta(hours=8)
    is_new = terms["lead_time_days"] != terms["supplier_id"].map(days["first"])
    assert (is_new == (terms["updated_at"] >= moments)).all()


def test_second_sources_stop_and_some_come_back(root: Path) -> None:
    terms = table(root, "supplier_terms").sort_values("updated_at", kind="stable")
    ends = terms.groupby(["supplier_id", "sku_id"])["is_ended"].agg(["any", "last"])
    assert ends["last"].any(), "nobody stopped for good"
    assert (ends["any"] & ~ends["last"]).any(), "nobody came back"
    assert not terms.drop_duplicates(["supplier_id", "sku_id"])["is_ended"].any(), "an end comes after a beginning"
