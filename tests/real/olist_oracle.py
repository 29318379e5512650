"""Olist in pandas: what a release must hold, from the public CSV files and nothing of the platform.

Written from the data set's description and docs/decisions/0010-olist.md, so that an error has to be made twice to go
unseen. Values are read as text; every `*_amount` is in integer cents, so that sums are exact; NULL is None, NaN or NaT.
A person is named by the first of its orders, because the platform may show customer ids as tokens only.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

SILO = "olist"
ZONE = "America/Sao_Paulo"
UNKNOWN = "UNKNOWN"
PROJECT = Path(__file__).resolve().parents[2]
TOLERANCE_CENTS = 2

FILES = {
    "orders": "olist_orders_dataset.csv",
    "order_items": "olist_order_items_dataset.csv",
    "order_payments": "olist_order_payments_dataset.csv",
    "order_reviews": "olist_order_reviews_dataset.csv",
    "customers": "olist_customers_dataset.csv",
    "sellers": "olist_sellers_dataset.csv",
    "products": "olist_products_dataset.csv",
    "product_category_name_translation": "product_category_name_translation.csv",
    "geolocation": "olist_geolocation_dataset.csv",
}
STATUSES = {
    "created": "placed",
    "approved": "paid",
    "invoiced": "paid",
    "processing": "paid",
    "shipped": "shipped",
    "delivered": "completed",
    "canceled": "cancelled",
    "unavailable": "cancelled",
}
MACRO_REGIONS = {
    "Norte": "AC AM AP PA RO RR TO",
    "Nordeste": "AL BA CE MA PB PE PI RN SE",
    "Centro-Oeste": "DF GO MS MT",
    "Sudeste": "ES MG RJ SP",
    "Sul": "PR RS SC",
}


def folder() -> Path:
    """Where the files are: `olist` below `ZHONGTAI_REAL_DATA`, by default below `shared/data` beside the project."""
    data = os.environ.get("ZHONGTAI_REAL_DATA")
    return (Path(data) if data else PROJECT.parent / "shared" / "data") / SILO


@cache
def load(table: str) -> pd.DataFrame:
    """A file's values as text without white space around them, None where empty; callers must not change it."""
    frame = pd.read_csv(folder() / FILES[table], dtype=str, keep_default_na=False, encoding="utf-8-sig")
    stripped = frame.apply(lambda column: column.str.strip())
    return stripped.astype(object).where(stripped != "", None)


def cents(values: pd.Series) -> pd.Series:
    """Amounts written with two decimals as integer cents."""
    return (values.astype("float64") * 100).round().astype("int64")


def utc(values: pd.Series) -> pd.Series:
    """Moments of Brazil's clock in UTC; of an hour that comes twice, the second. A skipped hour is an error."""
    naive = pd.to_datetime(values, format="%Y-%m-%d %H:%M:%S")
    second = np.zeros(len(naive), dtype=bool)
    return naive.dt.tz_localize(ZONE, ambiguous=second).dt.tz_convert("UTC").dt.tz_localize(None)


def local_date(moments: pd.Series) -> pd.Series:
    """The day that Brazil's clock shows at moments of UTC."""
    return moments.dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()


def region_ids(states: pd.Series, cities: pd.Series) -> pd.Series:
    """Ids of regions; accents are taken off by Unicode's own decomposition."""
    plain = cities.str.lower().str.normalize("NFD").str.replace("[\u0300-\u036f]", "", regex=True)
    return SILO + ":" + states + "/" + plain


@cache
def lines() -> pd.DataFrame:
    """One row a unit of an order, with its order's moments."""
    items = load("order_items")
    table = pd.DataFrame(
        {
            "source_order_id": items["order_id"],
            "source_line_id": items["order_item_id"],
            "source_sku_id": items["product_id"],
            "units": 1,
            "list_amount": cents(items["price"]),
            "discount_amount": 0,
            "third_party_discount_amount": 0,
            "gmv_amount": cents(items["price"]),
            "freight_cents": cents(items["freight_value"]),
        }
    )
    order = _moments()[["source_order_id", "placed_at", "placed_date", "paid_at", "paid_date", "is_paid"]]
    table = table.merge(order, on="source_order_id")
    table["paid_amount"] = table["gmv_amount"].where(table["is_paid"], 0)
    table["net_revenue_amount"] = table["paid_amount"]
    return table


@cache
def _moments() -> pd.DataFrame:
    """One row an order: its buyer, status and moments."""
    orders = load("orders").merge(load("customers"), on="customer_id", how="left")
    placed = utc(orders["order_purchase_timestamp"])
    status = orders["order_status"].map(STATUSES)
    went_on = status.isin(["paid", "shipped", "completed"])
    approved = utc(orders["order_approved_at"])
    paid = approved.where(approved.notna() | ~went_on, placed)
    return pd.DataFrame(
        {
            "source_order_id": orders["order_id"],
            "person": orders["customer_unique_id"],
            "order_status": status,
            "ship_to_region_id": region_ids(orders["customer_state"], orders["customer_city"]),
            "placed_at": placed,
            "placed_date": pd.to_datetime(orders["order_purchase_timestamp"].str[:10]),
            "paid_at": paid,
            "paid_date": local_date(paid),
            "is_paid": paid.notna(),
        }
    )


@cache
def orders() -> pd.DataFrame:
    """One row an order with the sums of its units."""
    table = _moments().set_index("source_order_id")
    grouped = lines().groupby("source_order_id")
    table["line_count"] = grouped.size().reindex(table.index, fill_value=0)
    table["units"] = table["line_count"]
    goods = grouped["gmv_amount"].sum().reindex(table.index, fill_value=0)
    table["shipping_amount"] = grouped["freight_cents"].sum().reindex(table.index, fill_value=0)
    table["list_amount"] = goods
    table["gmv_amount"] = goods + table["shipping_amount"]
    table["paid_amount"] = table["gmv_amount"].where(table["is_paid"], 0)
    table["net_revenue_amount"] = table["paid_amount"]
    paid = table[table["is_paid"]].reset_index().sort_values(["paid_at", "source_order_id"])
    paid["user_order_number"] = paid.groupby("person").cumcount() + 1
    table["user_order_number"] = paid.set_index("source_order_id")["user_order_number"].reindex(table.index)
    return table.reset_index()


def first_orders() -> pd.Series:
    """The name of a person, by person: the smallest id of its orders."""
    return orders().groupby("person")["source_order_id"].min()


@cache
def payments() -> pd.DataFrame:
    """One row a payment, dated by its order."""
    table = load("order_payments")
    paid = orders()[["source_order_id", "paid_at", "paid_date"]]
    return pd.DataFrame(
        {
            "payment_id": SILO + ":" + table["order_id"] + ":" + table["payment_sequential"],
            "source_order_id": table["order_id"],
            "payment_method": table["payment_type"].where(table["payment_type"] != "not_defined"),
            "payment_kind": "full",
            "paid_amount": cents(table["payment_value"]),
        }
    ).merge(paid, on="source_order_id", how="left")


@cache
def reviews() -> pd.DataFrame:
    """One row an answer and order; its SKU is known where the order has one only."""
    table = load("order_reviews")
    skus = load("order_items").groupby("order_id")["product_id"].agg(["nunique", "min"])
    only = skus.loc[skus["nunique"] == 1, "min"]
    title, message = table["review_comment_title"], table["review_comment_message"]
    text = (title + ": " + message).where(title.notna() & message.notna(), title.where(title.notna(), message))
    return pd.DataFrame(
        {
            "review_id": SILO + ":" + table["review_id"] + ":" + table["order_id"],
            "order_id": SILO + ":" + table["order_id"],
            "source_sku_id": table["order_id"].map(only),
            "channel": SILO,
            "rating": table["review_score"].astype("int64"),
            "review_text": text,
            "reviewed_at": utc(table["review_answer_timestamp"]),
            "reviewed_date": pd.to_datetime(table["review_answer_timestamp"].str[:10]),
        }
    )


@cache
def products() -> pd.DataFrame:
    """One row a product with its category, called by its English name where there is one."""
    table = load("products")
    english = load("product_category_name_translation").set_index("product_category_name")
    category = table["product_category_name"].fillna(UNKNOWN)
    name = category.map(english["product_category_name_english"])
    return pd.DataFrame(
        {
            "source_sku_id": table["product_id"],
            "category_id": SILO + ":" + category,
            "department": name.where(name.notna(), category),
            "is_in_catalogue": True,
            "is_current": True,
        }
    )


def categories() -> pd.DataFrame:
    """One row a category; every translated one has products."""
    grouped = products().groupby("category_id")
    table = pd.DataFrame({"category_name": grouped["department"].first(), "sku_count": grouped.size()})
    return table.reset_index().assign(category_level=1)


def regions() -> pd.DataFrame:
    """One row a city of a buyer."""
    table = load("customers")
    macro = {state: name for name, states in MACRO_REGIONS.items() for state in states.split()}
    frame = pd.DataFrame(
        {
            "region_id": region_ids(table["customer_state"], table["customer_city"]),
            "province": table["customer_state"],
            "city": table["customer_city"],
            "macro_region": table["customer_state"].map(macro),
        }
    )
    return frame.drop_duplicates(ignore_index=True)


def suppliers() -> pd.DataFrame:
    """One row a seller, with a region where a buyer lives in its city."""
    table = load("sellers")
    region = region_ids(table["seller_state"], table["seller_city"])
    known = region.isin(regions()["region_id"])
    return pd.DataFrame(
        {
            "supplier_id": SILO + ":" + table["seller_id"],
            "region_id": region.where(known),
            "is_current": True,
        }
    )


def supplier_skus() -> pd.DataFrame:
    """One row a seller and a product that it sold."""
    pairs = load("order_items")[["seller_id", "product_id"]].drop_duplicates()
    return pd.DataFrame({"supplier_id": SILO + ":" + pairs["seller_id"], "sku_id": SILO + ":" + pairs["product_id"]})


@cache
def shipments() -> pd.DataFrame:
    """One row an order that left or arrived; the promise is kept by whoever comes on the promised day."""
    table = load("orders")
    table = table[table["order_delivered_carrier_date"].notna() | table["order_delivered_customer_date"].notna()]
    delivered = utc(table["order_delivered_customer_date"])
    delivered_date = pd.to_datetime(table["order_delivered_customer_date"].str[:10])
    promised_date = pd.to_datetime(table["order_estimated_delivery_date"].str[:10])
    on_time = (delivered_date <= promised_date).astype(object).where(delivered.notna())
    region = orders().set_index("source_order_id")["ship_to_region_id"]
    return pd.DataFrame(
        {
            "order_id": SILO + ":" + table["order_id"],
            "destination_region_id": table["order_id"].map(region),
            "service": "standard",
            "shipped_at": utc(table["order_delivered_carrier_date"]),
            "shipped_date": pd.to_datetime(table["order_delivered_carrier_date"].str[:10]),
            "delivered_at": delivered,
            "delivered_date": delivered_date,
            "is_on_time": on_time,
        }
    )


def users() -> pd.DataFrame:
    """One row a person: seen and paid first, paid last, living where the latest order went."""
    table = orders()
    grouped = table.groupby("person")
    paid = table[table["is_paid"]].groupby("person")["paid_at"]
    latest = table.sort_values(["placed_at", "ship_to_region_id"], ascending=[False, True]).groupby("person")
    frame = pd.DataFrame(
        {
            "first_order_id": grouped["source_order_id"].min(),
            "first_seen_at": grouped["placed_at"].min(),
            "region_id": latest["ship_to_region_id"].first(),
            "first_paid_at": paid.min(),
            "last_paid_at": paid.max(),
            "paid_orders": grouped["is_paid"].sum(),
            "identity_count": 1,
        }
    )
    return frame.reset_index(drop=True)


def product_daily() -> pd.DataFrame:
    """Units and money of a SKU by the day on which it was paid."""
    paid = lines()[lines()["is_paid"]]
    grouped = paid.groupby(["source_sku_id", "paid_date"])
    table = pd.DataFrame({"units": grouped["units"].sum(), "paid_amount": grouped["paid_amount"].sum()})
    table["net_revenue_amount"] = table["paid_amount"]
    return table.reset_index().rename(columns={"paid_date": "activity_date"})


def kpi_daily() -> pd.DataFrame:
    """Sales by day, of days with sales; GMV by the day placed, the rest by the day paid."""
    table = orders()
    paid = table[table["is_paid"]].groupby("paid_date")
    frame = pd.DataFrame(
        {
            "gmv_amount": table.groupby("placed_date")["gmv_amount"].sum(),
            "placed_orders": table.groupby("placed_date").size(),
            "paid_amount": paid["paid_amount"].sum(),
            "paid_orders": paid.size(),
            "units": paid["units"].sum(),
            "buyers": paid["person"].nunique(),
            "new_buyers": table[table["user_order_number"] == 1].groupby("paid_date").size(),
        }
    )
    return frame.fillna(0).astype("int64").rename_axis("kpi_date").reset_index()


def on_time_rates() -> pd.DataFrame:
    """Deliveries on time of those of a day."""
    delivered = shipments()[shipments()["delivered_date"].notna()]
    grouped = delivered.assign(is_on_time=delivered["is_on_time"].astype(bool)).groupby("delivered_date")
    return grouped["is_on_time"].mean().rename("on_time_delivery_rate").rename_axis("kpi_date").reset_index()


@cache
def reconciliation() -> pd.DataFrame:
    """One row an order that has both units and payments: what it comes to, what was paid, in cents."""
    items = load("order_items")
    due = (cents(items["price"]) + cents(items["freight_value"])).groupby(items["order_id"]).sum()
    paid = cents(load("order_payments")["payment_value"]).groupby(load("order_payments")["order_id"]).sum()
    both = pd.DataFrame({"due": due, "paid": paid}).dropna().astype("int64")
    both["agrees"] = (both["due"] - both["paid"]).abs() <= TOLERANCE_CENTS
    return both.rename_axis("order_id").reset_index()


def as_of() -> pd.Timestamp:
    """The latest moment at which an order was placed or a survey answered, in UTC."""
    placed, answered = orders()["placed_at"].max(), reviews()["reviewed_at"].max()
    return max(placed, answered)


def source_counts() -> pd.DataFrame:
    """What the ledger must say of each file; only exact repetitions of points are not loaded."""
    rows = []
    for table in FILES:
        frame = load(table)
        repeated = int(frame.duplicated().sum()) if table == "geolocation" else 0
        rows.append((table, 1, len(frame), len(frame) - repeated, 0, repeated, 0, 0))
    parts = ["rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded", "rows_erased"]
    return pd.DataFrame(rows, columns=["table", "files", "rows_read", *parts])
