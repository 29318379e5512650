"""Every table of the order family, from the silos' files."""

from __future__ import annotations

import pandas as pd

from tests.simulated import expected
from tests.simulated.silo_files import business_date
from tests.simulated.unified.company import CHANNEL_GROUPS, Company, Table, unified

AMOUNTS = [
    "units",
    "list_amount",
    "discount_amount",
    "third_party_discount_amount",
    "gmv_amount",
    "paid_amount",
    "refund_amount",
    "net_revenue_amount",
]
IDS = ["silo", "order_id", "source_order_id", "user_id", "source_user_id"]
TIMES = ["placed_at", "placed_date", "paid_at", "paid_date", "is_paid"]
SOLD_BY = ["channel", "channel_group", "store_id", "campaign_id", "session_id", "live_session_id"]


def identified_orders(company: Company) -> pd.DataFrame:
    """Orders of the files with unified ids and the person who bought."""
    found = expected.orders(company.silos).rename(columns={"order_id": "source_order_id"})
    found["order_id"] = unified(found["silo"], found["source_order_id"])
    found["user_id"] = company.person_of(found["silo"], found["source_user_id"])
    found["channel_group"] = found["channel"].map(CHANNEL_GROUPS)
    namers = {"store_id": "stores", "campaign_id": "marketing", "session_id": "storefront", "live_session_id": "live"}
    for column, silo in namers.items():
        found[column] = unified(silo, found[column])
    found["is_paid"] = found["paid_at"].notna()
    found["net_revenue_amount"] = found["paid_amount"] - found["refund_amount"]
    return found


def orders(company: Company) -> pd.DataFrame:
    found = identified_orders(company)
    found["ship_to_region_id"] = company.region_of(found["ship_to_city"])
    # The storefront's alone can be picked up.
    picked_up = pickups(company)
    found = found.merge(picked_up.assign(silo="storefront"), how="left", on=["silo", "source_order_id"])
    of_persons = found[found["is_paid"] & found["user_id"].notna()].sort_values(["paid_at", "order_id"])
    found["user_order_number"] = of_persons.groupby("user_id").cumcount() + 1
    return found[
        [
            *IDS,
            "order_type",
            "order_status",
            "ship_to_region_id",
            "pickup_arrived_at",
            "pickup_collected_at",
            "line_count",
            "shipping_amount",
            "user_order_number",
            *SOLD_BY,
            *TIMES,
            *AMOUNTS,
        ]
    ]


def pickups(company: Company) -> pd.DataFrame:
    """When all of an order was at the store, and when all of it had been collected."""
    found = company.rows("stores", "pickups").groupby("order_id")
    whole = found["collected_at"].max().where(found["collected_at"].count() == found.size())
    return (
        pd.DataFrame({"pickup_arrived_at": found["arrived_at"].max(), "pickup_collected_at": whole})
        .rename_axis("source_order_id")
        .reset_index()
    )


def order_lines(company: Company) -> pd.DataFrame:
    found = expected.order_lines(company.silos).rename(
        columns={"order_line_id": "source_line_id", "order_id": "source_order_id", "sku_id": "source_sku_id"}
    )
    heads = identified_orders(company)
    heads = heads[[*IDS, "is_paid", *SOLD_BY]]
    repeated = found.columns.intersection(heads.columns).difference(["silo", "source_order_id"])
    found = found.drop(columns=repeated).merge(heads, on=["silo", "source_order_id"], validate="many_to_one")
    found["order_line_id"] = unified(found["silo"], found["source_line_id"])
    found["sku_id"] = unified("erp", found["source_sku_id"])
    # The storefront alone tells gifts.
    found["is_gift"] = found["is_gift"].eq(True)
    found["net_revenue_amount"] = found["paid_amount"] - found["refund_amount"]
    return found[
        [
            *IDS,
            "order_line_id",
            "source_line_id",
            "sku_id",
            "source_sku_id",
            "is_gift",
            "ordered_cost_amount",
            "cost_amount",
            *SOLD_BY,
            *TIMES,
            *AMOUNTS,
        ]
    ]


def payments(company: Company) -> pd.DataFrame:
    """The storefront's payments; of the other silos one a paid order, by the method that the till tells."""
    told = company.rows("storefront", "payments").assign(silo="storefront")
    derived = expected.orders(company.silos)
    derived = derived[(derived["silo"] != "storefront") & derived["paid_at"].notna()]
    derived = derived.assign(payment_id=derived["order_id"], payment_kind="full")
    columns = ["silo", "payment_id", "order_id", "payment_method", "payment_kind", "paid_amount", "paid_at"]
    found = pd.concat([told[columns], derived[columns]], ignore_index=True)
    heads = identified_orders(company)[
        ["silo", "source_order_id", "user_id", "source_user_id", "channel", "channel_group"]
    ]
    heads = heads.rename(columns={"source_order_id": "order_id"})
    found = found.merge(heads, how="left", on=["silo", "order_id"], validate="many_to_one")
    return found.assign(
        payment_id=unified(found["silo"], found["payment_id"]),
        order_id=unified(found["silo"], found["order_id"]),
        source_order_id=found["order_id"],
        paid_date=business_date(found["paid_at"]),
    )


def refunds(company: Company) -> pd.DataFrame:
    found = expected.refund_costs(company.silos).rename(columns={"reason": "refund_reason"}).drop(columns="sku_id")
    for column in ("refund_id", "order_id", "order_line_id"):
        found[column] = unified(found["silo"], found[column])
    of_lines = order_lines(company)[["order_line_id", "user_id", "sku_id", "channel", "channel_group"]]
    found = found.merge(of_lines, how="left", on="order_line_id", validate="many_to_one")
    return found[
        [
            *of_lines.columns,
            "refund_id",
            "order_id",
            "silo",
            "refund_amount",
            "refund_units",
            "refund_reason",
            "cost_amount",
            "refunded_at",
            "refunded_date",
        ]
    ]


def presale_reservations(company: Company) -> pd.DataFrame:
    found = company.rows("storefront", "presale_reservations").assign(silo="storefront")
    found = found.rename(columns={"user_id": "source_user_id", "sku_id": "source_sku_id"})
    return found.assign(
        reservation_id=unified("storefront", found["reservation_id"]),
        user_id=company.person_of(found["silo"], found["source_user_id"]),
        channel_group=found["channel"].map(CHANNEL_GROUPS),
        sku_id=unified("erp", found["source_sku_id"]),
        reserved_date=business_date(found["reserved_at"]),
    )


TABLES = {
    "fct_orders": Table(orders, ["order_id"], apart=["member_level"]),
    "fct_order_lines": Table(order_lines, ["order_line_id"]),
    "fct_payments": Table(payments, ["payment_id"]),
    "fct_refunds": Table(refunds, ["refund_id"]),
    "fct_presale_reservations": Table(presale_reservations, ["reservation_id"]),
}
