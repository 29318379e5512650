"""Every table of the supply family, from the silos' files.

Of suppliers and their terms only what holds today: their versions are judged by tests of their own.
"""

from __future__ import annotations

import pandas as pd

from tests.simulated import expected
from tests.simulated.silo_files import business_date
from tests.simulated.unified.company import Company, Table, unified

VERSION = ["supplier_version_id", "supplier_sku_version_id", "valid_from", "valid_to", "is_current"]
TERMS = ["lead_time_days", "minimum_order_units", "price_amount", "response_hours"]
AGREED = ["agreed_lead_time_days", "agreed_unit_amount", "agreed_response_hours", "agreed_minimum_order_units"]


def suppliers(company: Company) -> pd.DataFrame:
    """Suppliers as they are now, with what they agreed to for the SKUs that they deliver."""
    found = company.rows("erp", "suppliers").set_index("supplier_id")
    terms = company.rows("erp", "supplier_terms").groupby("supplier_id")
    found["lead_time_days"] = terms["lead_time_days"].mean()
    found["minimum_order_units"] = terms["minimum_order_units"].min()
    found["response_hours"] = terms["response_hours"].min()
    found = found.reset_index().assign(silo="erp", region_id=company.region_of(found["city"].reset_index(drop=True)))
    found["supplier_id"] = unified("erp", found["supplier_id"])
    return found.drop(columns=["province", "city", "updated_at"])


def supplier_skus(company: Company) -> pd.DataFrame:
    found = _prefixed(company.rows("erp", "supplier_terms"), "supplier_id", "sku_id")
    return found[["silo", "supplier_id", "sku_id", *TERMS]]


def warehouses(company: Company) -> pd.DataFrame:
    found = _prefixed(company.rows("erp", "warehouses"), "warehouse_id")
    found["region_id"] = company.region_of(found["city"])
    return found.drop(columns=["province", "city", "updated_at"])


def inventory(company: Company) -> pd.DataFrame:
    return _prefixed(expected.inventory(company.silos), "warehouse_id", "sku_id")


def purchase_lines(company: Company) -> pd.DataFrame:
    """Lines with what their order says and what the supplier announced; nothing announced is 0 units."""
    found = purchases(company).rename(columns={"status": "purchase_status"})
    announced = company.rows("erp", "asn").groupby("purchase_line_id")
    found["shipped_units"] = found["purchase_line_id"].map(announced["shipped_units"].sum()).fillna(0).astype("int64")
    found["shipped_at"] = found["purchase_line_id"].map(announced["shipped_at"].min())
    found["created_date"] = business_date(found["created_at"])
    found = found.drop(columns="updated_at")
    return _prefixed(found, "purchase_line_id", "purchase_order_id", "supplier_id", "sku_id", "warehouse_id")


def purchases(company: Company) -> pd.DataFrame:
    """Purchase lines beside their order as it is now."""
    lines = company.rows("erp", "purchase_lines")
    heads = company.rows("erp", "purchase_orders").drop(columns="created_at")
    return lines.merge(heads, how="left", on="purchase_order_id", validate="many_to_one")


def receipts(company: Company) -> pd.DataFrame:
    found = company.rows("erp", "receipts")
    of_lines = purchases(company)[["purchase_line_id", "supplier_id"]]
    found = found.merge(of_lines, how="left", on="purchase_line_id", validate="many_to_one")
    found["received_date"] = business_date(found["received_at"])
    return _prefixed(found, "receipt_id", "purchase_line_id", "supplier_id", "sku_id", "warehouse_id")


def supplier_invoices(company: Company) -> pd.DataFrame:
    heads = company.rows("erp", "supplier_invoices").drop(columns=["invoiced_amount", "created_at"])
    lines = company.rows("erp", "invoice_lines").drop(columns="created_at")
    found = lines.merge(heads, how="left", on="invoice_id", validate="many_to_one")
    return _prefixed(found, "invoice_line_id", "invoice_id", "supplier_id", "purchase_line_id", "sku_id")


def supplier_payments(company: Company) -> pd.DataFrame:
    found = company.rows("erp", "supplier_payments")
    found = found.assign(paid_date=business_date(found["paid_at"])).drop(columns="paid_at")
    return _prefixed(found, "supplier_payment_id", "invoice_id", "supplier_id")


def stock_transfers(company: Company) -> pd.DataFrame:
    found = company.rows("erp", "stock_transfers").drop(columns="updated_at")
    found["shipped_date"] = business_date(found["shipped_at"])
    return _prefixed(found, "transfer_id", "from_warehouse_id", "to_warehouse_id", "sku_id")


def shipments(company: Company) -> pd.DataFrame:
    """Parcels; one under way is neither on time nor late."""
    found = expected.shipments(company.silos)
    on_time = (found["delivered_at"] <= found["promised_at"]).astype(object)
    found = found.assign(
        shipment_id=unified("logistics", found["shipment_id"]),
        order_id=unified(found["order_silo"], found["order_id"]),
        warehouse_id=unified("erp", found["warehouse_id"]),
        carrier_id=unified("logistics", found["carrier_id"]),
        destination_region_id=company.region_of(found["destination_city"]),
        delivered_date=business_date(found["delivered_at"]),
        is_on_time=on_time.where(found["delivered_at"].notna(), None),
    )
    return found.drop(columns=["order_silo", "destination_province", "destination_city", "is_delivered", "updated_at"])


def tracking_events(company: Company) -> pd.DataFrame:
    found = company.rows("logistics", "tracking_events").assign(silo="logistics")
    return found.assign(
        tracking_event_id=unified("logistics", found["tracking_event_id"]),
        shipment_id=unified("logistics", found["shipment_id"]),
        tracked_date=business_date(found["tracked_at"]),
        region_id=company.region_of(found["city"]),
    ).drop(columns="city")


def _prefixed(found: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Rows of the ERP with unified ids."""
    return found.assign(silo="erp", **{column: unified("erp", found[column]) for column in columns})


TABLES = {
    "dim_suppliers": Table(suppliers, ["supplier_id"], apart=VERSION, current_only=True),
    "bridge_supplier_skus": Table(supplier_skus, ["supplier_id", "sku_id"], apart=VERSION, current_only=True),
    "dim_warehouses": Table(warehouses, ["warehouse_id"]),
    "fct_inventory_daily": Table(inventory, ["warehouse_id", "sku_id", "stock_date"]),
    "fct_purchase_lines": Table(purchase_lines, ["purchase_line_id"], apart=AGREED),
    "fct_receipts": Table(receipts, ["receipt_id"]),
    "fct_supplier_invoices": Table(supplier_invoices, ["invoice_line_id"]),
    "fct_supplier_payments": Table(supplier_payments, ["supplier_payment_id"]),
    "fct_stock_transfers": Table(stock_transfers, ["transfer_id"]),
    "fct_shipments": Table(shipments, ["shipment_id"]),
    "fct_tracking_events": Table(tracking_events, ["tracking_event_id"]),
}
