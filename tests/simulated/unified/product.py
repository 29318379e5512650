"""Every table of the product family, from the silos' files."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from tests.simulated import expected
from tests.simulated.silo_files import ZONE, business_date
from tests.simulated.unified.company import Company, Table, unified

# As documented, not read from policies.yml: a changed default has to be met by a changed test.
COMPETITOR_MATCH_SCORE = 0.8


def catalogue(company: Company) -> pd.DataFrame:
    """Every product with its category and the categories above and below, by the ERP's ids."""
    products = company.rows("erp", "products")[["product_id", "category_id", "brand"]]
    categories = company.rows("erp", "categories").set_index("category_id")
    found = products.assign(product_type=products["category_id"].map(categories["category_name"]))
    top = found["category_id"]
    for _ in range(categories["category_level"].max()):
        top = top.map(categories["parent_category_id"]).fillna(top)
    return found.assign(department=top.map(categories["category_name"]))


def products(company: Company) -> pd.DataFrame:
    """Every version that the ERP told, from its moment to the next one's; the first as if it had always held."""
    told = expected.reading(company.silos, "erp", "skus").history
    # Of two rows with one version the one that landed later holds, and rows are in the order of landing.
    versions = told.drop_duplicates(["sku_id", "updated_at"], keep="last").sort_values(["sku_id", "updated_at"])
    found = versions.merge(catalogue(company), how="left", on="product_id", validate="many_to_one")
    of_sku = found.groupby("sku_id")["updated_at"]
    found = found.assign(
        valid_from=found["updated_at"].where(of_sku.cumcount() > 0),
        valid_to=of_sku.shift(-1),
        is_current=of_sku.cumcount(ascending=False) == 0,
        is_in_catalogue=True,
        silo="erp",
        source_sku_id=found["sku_id"],
    )
    for column in ("sku_id", "product_id", "category_id", "supplier_id"):
        found[column] = unified("erp", found[column])
    return found.rename(columns={"sku_name": "product_name"}).drop(columns="updated_at")


def categories(company: Company) -> pd.DataFrame:
    found = company.rows("erp", "categories").assign(silo="erp")
    skus = company.rows("erp", "skus").merge(company.rows("erp", "products"), on="product_id")
    counts = skus["category_id"].value_counts()
    found["sku_count"] = found["category_id"].map(counts).fillna(0).astype("int64")
    for column in ("category_id", "parent_category_id"):
        found[column] = unified("erp", found[column])
    return found.drop(columns="updated_at")


def product_daily(company: Company) -> pd.DataFrame:
    """Days on which a SKU was sold, refunded, seen, put into a cart, pictured in a warehouse or compared."""
    key = ["sku_id", "activity_date"]
    sold = expected.order_lines(company.silos).dropna(subset="paid_at").rename(columns={"paid_date": "activity_date"})
    given_back = expected.refund_costs(company.silos).rename(columns={"refunded_date": "activity_date"})
    given_back = given_back.rename(columns={"cost_amount": "returned_cost_amount"})
    events = company.rows("storefront", "events").dropna(subset="sku_id")
    events["activity_date"] = business_date(events["event_at"])
    stock = expected.inventory(company.silos).rename(
        columns={"stock_date": "activity_date", "on_hand_units": "stock_units"}
    )
    parts = [
        sold.groupby(key)[["units", "paid_amount", "ordered_cost_amount"]].sum(),
        given_back.groupby(key)[["refund_amount", "returned_cost_amount"]].sum(),
        events[events["event_type"] == "product_view"].groupby(key).size().rename("views"),
        events[events["event_type"] == "add_to_cart"].groupby(key).size().rename("carts"),
    ]
    unknown = [stock.groupby(key)["stock_units"].sum(), lowest_competitors(company)]
    counted = pd.concat([*parts, *unknown], axis="columns")
    # Where no picture was taken, or nothing compared, that is unknown; all else was counted, and there was none.
    names = ["stock_units", "lowest_competitor_amount"]
    found = counted.drop(columns=names).fillna(0).astype("int64").join(counted[names]).reset_index()
    found["net_revenue_amount"] = found["paid_amount"] - found["refund_amount"]
    # Each on its own day: what was paid then, and what came back then.
    cost = found["ordered_cost_amount"] - found["returned_cost_amount"]
    found["gross_margin_amount"] = found["net_revenue_amount"] - cost
    pairs = zip(found["paid_amount"], found["units"], strict=True)
    found["average_unit_amount"] = [_mean_cents(cents, units) for cents, units in pairs]
    found["sku_id"] = unified("erp", found["sku_id"])
    found["list_price_amount"] = _list_price(company, found["sku_id"], found["activity_date"])
    return found.drop(columns=["ordered_cost_amount", "returned_cost_amount"])


def _list_price(company: Company, sku: pd.Series, day: pd.Series) -> pd.Series:
    """What a unit was listed at when the day ended in Shanghai, by the last version before."""
    ends = (day + pd.Timedelta(days=1)).dt.tz_localize(ZONE).dt.tz_convert("UTC").dt.tz_localize(None)
    asked = pd.DataFrame({"sku_id": sku, "end": ends}).reset_index(names="place")
    versions = products(company)[["sku_id", "valid_from", "list_amount"]].fillna({"valid_from": pd.Timestamp(0)})
    pairs = asked.merge(versions, on="sku_id")
    held = pairs[pairs["valid_from"] < pairs["end"]].sort_values("valid_from").drop_duplicates("place", keep="last")
    return asked["place"].map(held.set_index("place")["list_amount"])


def lowest_competitors(company: Company) -> pd.Series:
    """The lowest price of a day by SKU, of listings like enough to it."""
    listings = company.rows("market", "competitor_listings").rename(columns={"listed_date": "activity_date"})
    alike = listings[listings["match_score"] >= COMPETITOR_MATCH_SCORE]
    lowest = alike.groupby(["sku_id", "activity_date"])["price_amount"].min()
    return lowest.rename("lowest_competitor_amount")


def _mean_cents(cents: int, units: int) -> float:
    """Cents a unit, half a cent up; NaN without units."""
    return float((Decimal(cents) / units).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if units else float("nan")


def product_reviews(company: Company) -> pd.DataFrame:
    """Reviews of the storefront and of marketplaces, on the channel of the order that they are about."""
    names = {"buyer_id": "source_user_id", "user_id": "source_user_id", "sku_id": "source_sku_id"}
    selling = ("storefront", "marketplace")
    parts = [company.rows(silo, "reviews").rename(columns=names).assign(silo=silo) for silo in selling]
    found = pd.concat(parts, ignore_index=True)
    channels = expected.orders(company.silos)[["silo", "order_id", "channel"]]
    found = found.merge(channels, how="left", on=["silo", "order_id"], validate="many_to_one")
    return found.assign(
        review_id=unified(found["silo"], found["review_id"]),
        order_id=unified(found["silo"], found["order_id"]),
        sku_id=unified("erp", found["source_sku_id"]),
        user_id=company.person_of(found["silo"], found["source_user_id"]),
        reviewed_date=business_date(found["reviewed_at"]),
    )


def market_trends(company: Company) -> pd.DataFrame:
    found = company.rows("market", "category_trends").assign(silo="market")
    return found.assign(category_id=unified("erp", found["category_id"]))


def industry_benchmarks(company: Company) -> pd.DataFrame:
    found = company.rows("market", "industry_benchmarks").assign(silo="market")
    return found.assign(category_id=unified("erp", found["category_id"]))


def competitor_prices(company: Company) -> pd.DataFrame:
    found = company.rows("market", "competitor_listings").assign(silo="market")
    return found.assign(
        listing_id=unified("market", found["listing_id"]),
        candidate_id=unified("market", found["candidate_id"]),
        sku_id=unified("erp", found["sku_id"]),
    )


def selection_candidates(company: Company) -> pd.DataFrame:
    found = company.rows("market", "selection_candidates").assign(silo="market")
    return found.assign(
        candidate_id=unified("market", found["candidate_id"]),
        category_id=unified("erp", found["category_id"]),
        supplier_id=unified("erp", found["supplier_id"]),
    )


TABLES = {
    "dim_products": Table(products, ["sku_id", "valid_to"], apart=["product_version_id"]),
    "dim_categories": Table(categories, ["category_id"]),
    "fct_product_daily": Table(product_daily, ["sku_id", "activity_date"]),
    "fct_product_reviews": Table(product_reviews, ["review_id"]),
    "fct_market_trends": Table(market_trends, ["category_id", "trend_month", "source"]),
    "fct_industry_benchmarks": Table(industry_benchmarks, ["category_id", "macro_region", "benchmark_month"]),
    "fct_competitor_prices": Table(competitor_prices, ["listing_id", "listed_date"]),
    "dim_selection_candidates": Table(selection_candidates, ["candidate_id"]),
}
