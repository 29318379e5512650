"""What the unified layer must hold of the simulated company, in pandas from the silos' files.

Written from the specification (docs, YAML contracts and descriptions) without reading any SQL model. Ids are the silos'
own, amounts integer cents, moments UTC, dates the merchant's.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

import pandas as pd

from tests.simulated.contracts import contracts
from tests.simulated.silo_files import Reading, business_date, read

TABLES = tuple(contracts())
SELLING = ("storefront", "marketplace", "live", "stores")
UNITS, CENTS = "int64", "int64"
PLATFORMS = {"天猫": "tmall", "京东": "jd"}
STATUSES = {
    **{"created": "placed", "paid": "paid", "shipped": "shipped", "completed": "completed", "cancelled": "cancelled"},
    **{"待付款": "placed", "待发货": "paid", "已发货": "shipped", "交易成功": "completed", "交易关闭": "cancelled"},
    **{"finished": "completed", "closed": "cancelled"},
}


@cache
def reading(silos: Path, silo: str, table: str) -> Reading:
    """A table read from its files; callers must not change it."""
    return read(silos, contracts()[silo, table])


def rows(silos: Path, silo: str, table: str) -> pd.DataFrame:
    """The rows of a table that hold at the end."""
    return reading(silos, silo, table).rows.copy()


@cache
def latest(silos: Path) -> datetime:
    """The latest moment that any table tells."""
    return max(filter(None, (reading(silos, *table).latest for table in TABLES)))


@cache
def rejected_dates(silos: Path) -> set[date]:
    """Business dates of rejected rows."""
    return set().union(*(reading(silos, *table).rejected_dates for table in TABLES))


@cache
def order_lines(silos: Path) -> pd.DataFrame:
    """A row a line: what was asked, what the merchant took off, what others reimburse, what was received."""
    parts = []
    for silo in SELLING:
        table = "receipt_lines" if silo == "stores" else "order_lines"
        lines = rows(silos, silo, table).rename(
            columns={"receipt_line_id": "order_line_id", "receipt_id": "order_id", "paid_amount": "payable_amount"}
        )
        lines["third_party_discount_amount"] = lines.get("platform_subsidy_amount", 0)
        lines["received_amount"] = lines["payable_amount"] + lines["third_party_discount_amount"]
        parts.append(lines.assign(silo=silo))
    lines = pd.concat(parts, ignore_index=True)
    lines["gmv_amount"] = lines["list_amount"] - lines["discount_amount"]
    heads = _order_heads(silos)[["silo", "order_id", "placed_at", "paid_at"]]
    lines = lines.drop(columns=["placed_at", "paid_at"]).merge(heads, on=["silo", "order_id"], validate="many_to_one")
    lines["paid_amount"] = lines["received_amount"].where(lines["paid_at"].notna(), 0).astype(CENTS)
    given_back = refunds(silos).groupby(["silo", "order_line_id"])[["refund_amount", "refund_units"]].sum()
    lines = lines.merge(given_back, how="left", on=["silo", "order_line_id"])
    lines = lines.fillna({"refund_amount": 0, "refund_units": 0}).astype(
        {"refund_amount": CENTS, "refund_units": UNITS}
    )
    lines["unit_cost_amount"] = cost_at(silos, lines["sku_id"], lines["placed_at"])
    lines["ordered_cost_amount"] = lines["units"] * lines["unit_cost_amount"]
    kept = (lines["units"] - lines["refund_units"]) * lines["unit_cost_amount"]
    # Nobody keeps units of an order that nobody paid.
    lines["cost_amount"] = kept.where(lines["paid_at"].notna(), 0).astype(CENTS)
    return lines.assign(placed_date=business_date(lines["placed_at"]), paid_date=business_date(lines["paid_at"]))


@cache
def _order_heads(silos: Path) -> pd.DataFrame:
    """An order without its lines: who, where, when, shipping; a till receipt is an order, placed and paid at once."""
    return pd.concat([_HEADS[silo](silos).assign(silo=silo) for silo in SELLING], ignore_index=True)


def _storefront_heads(silos: Path) -> pd.DataFrame:
    names = {"user_id": "source_user_id", "pickup_store_id": "store_id"}
    return _with_status(rows(silos, "storefront", "orders").rename(columns=names))


def _marketplace_heads(silos: Path) -> pd.DataFrame:
    heads = _with_status(rows(silos, "marketplace", "orders").rename(columns={"buyer_id": "source_user_id"}))
    return heads.assign(channel=heads["platform"].map(PLATFORMS), order_type="normal")


def _live_heads(silos: Path) -> pd.DataFrame:
    heads = _with_status(rows(silos, "live", "orders").rename(columns={"open_id": "source_user_id"}))
    return heads.assign(channel="douyin", order_type="normal")


def _stores_heads(silos: Path) -> pd.DataFrame:
    names = {"receipt_id": "order_id", "card_no": "source_user_id"}
    heads = rows(silos, "stores", "receipts").rename(columns=names)
    channel = heads["store_id"].map(stores(silos).set_index("store_id")["store_kind"])
    heads = heads.assign(order_type="normal", order_status="completed", shipping_amount=0)
    return heads.assign(placed_at=heads["paid_at"], channel=channel)


def _with_status(heads: pd.DataFrame) -> pd.DataFrame:
    return heads.assign(order_status=heads["status"].map(STATUSES))


_HEADS = {
    "storefront": _storefront_heads,
    "marketplace": _marketplace_heads,
    "live": _live_heads,
    "stores": _stores_heads,
}


@cache
def stores(silos: Path) -> pd.DataFrame:
    """Every store as its latest picture shows it."""
    pictures = rows(silos, "stores", "stores").sort_values("snapshot_date")
    return pictures.drop_duplicates("store_id", keep="last").reset_index(drop=True)


@cache
def orders(silos: Path) -> pd.DataFrame:
    """A row an order: the sums of its lines, plus shipping."""
    amounts = ["list_amount", "discount_amount", "third_party_discount_amount", "gmv_amount", "paid_amount"]
    sums = order_lines(silos).groupby(["silo", "order_id"])
    of_lines = sums[["units", *amounts, "refund_amount"]].sum().assign(line_count=sums.size()).reset_index()
    found = _order_heads(silos).merge(of_lines, on=["silo", "order_id"], validate="one_to_one")
    paid = found["paid_at"].notna()
    found["gmv_amount"] += found["shipping_amount"]
    found["paid_amount"] += found["shipping_amount"].where(paid, 0)
    found["paid_orders"] = paid.astype(UNITS)
    return found.assign(placed_date=business_date(found["placed_at"]), paid_date=business_date(found["paid_at"]))


@cache
def refunds(silos: Path) -> pd.DataFrame:
    """A row a refund of a line; stores tell none."""
    parts = [rows(silos, silo, "refunds").assign(silo=silo) for silo in SELLING if silo != "stores"]
    found = pd.concat(parts, ignore_index=True)
    return found.assign(refunded_date=business_date(found["refunded_at"]))


@cache
def refund_costs(silos: Path) -> pd.DataFrame:
    """Refunds, each with what the units that it brings back cost when they were ordered, of lines that were paid."""
    lines = order_lines(silos)[["silo", "order_line_id", "sku_id", "paid_at", "unit_cost_amount"]]
    found = refunds(silos).merge(lines, how="left", on=["silo", "order_line_id"], validate="many_to_one")
    cost = found["refund_units"] * found["unit_cost_amount"]
    return found.assign(cost_amount=cost.where(found["paid_at"].notna(), 0).astype(CENTS))


@cache
def payments(silos: Path) -> pd.DataFrame:
    """The storefront's payments; of the other silos one a paid order."""
    told = rows(silos, "storefront", "payments").assign(silo="storefront")
    derived = orders(silos)
    derived = derived[(derived["silo"] != "storefront") & derived["paid_at"].notna()]
    columns = ["silo", "order_id", "paid_amount", "paid_at"]
    found = pd.concat([told[columns], derived[columns]], ignore_index=True)
    return found.assign(paid_date=business_date(found["paid_at"]))


@cache
def cost_versions(silos: Path) -> pd.DataFrame:
    """Every version of a SKU's cost that any file told, and from when it holds."""
    versions = reading(silos, "erp", "skus").history
    return versions[["sku_id", "updated_at", "cost_amount"]].sort_values("updated_at", ignore_index=True)


def cost_at(silos: Path, sku: pd.Series, moment: pd.Series) -> pd.Series:
    """The cost of a unit that was valid at a moment; before the first version, the first."""
    asked = pd.DataFrame({"sku_id": sku, "updated_at": moment, "place": range(len(sku))}).sort_values("updated_at")
    versions = cost_versions(silos)
    held = pd.merge_asof(asked, versions, on="updated_at", by="sku_id")
    first = versions.drop_duplicates("sku_id").set_index("sku_id")["cost_amount"]
    held["cost_amount"] = held["cost_amount"].fillna(held["sku_id"].map(first))
    return pd.Series(held.sort_values("place")["cost_amount"].to_numpy(), index=sku.index).astype(CENTS)


@cache
def inventory(silos: Path) -> pd.DataFrame:
    """The ERP's daily pictures, at the cost that was valid at the end of the day."""
    found = rows(silos, "erp", "inventory").rename(columns={"snapshot_date": "stock_date"})
    end = (found["stock_date"] + pd.Timedelta(days=1)).dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")
    end = end.dt.tz_localize(None) - pd.Timedelta(seconds=1)
    found["inventory_value_amount"] = found["on_hand_units"] * cost_at(silos, found["sku_id"], end)
    return found.assign(silo="erp")


@cache
def shipments(silos: Path) -> pd.DataFrame:
    """A row a parcel."""
    found = rows(silos, "logistics", "shipments").assign(silo="logistics")
    found["is_delivered"] = found["delivered_at"].notna().astype(UNITS)
    found["is_on_time"] = (found["delivered_at"] <= found["promised_at"]).astype(UNITS)
    return found.assign(shipped_date=business_date(found["shipped_at"]))
