"""The published release of a real retailer against pandas: row for row, money to the cent, rates to 1e-12."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yaml

from tests.documented_policies import POLICIES, POLICY_LISTS
from tests.real import complete_journey_oracle as oracle
from tests.real.comparison import assert_no_rows, assert_same, assert_table, bare_id

Database = duckdb.DuckDBPyConnection

pytestmark = pytest.mark.real

FILLED = {
    "bridge_campaign_skus",
    "bridge_user_identities",
    "dim_campaigns",
    "dim_categories",
    "dim_channels",
    "dim_dates",
    "dim_merchants",
    "dim_policies",
    "dim_products",
    "dim_stores",
    "dim_users",
    "fct_coupons",
    "fct_order_lines",
    "fct_orders",
    "fct_payments",
    "fct_product_daily",
    "fct_product_promotions",
    "fct_user_touches",
}
TYPES = {"string": "VARCHAR", "decimal(18,2)": "DECIMAL(18,2)"}
IDENTITY = "inner join unified.bridge_user_identities as identities using (user_id)"
HOUSEHOLD = {"household_id": "try_cast(identities.source_id as bigint)"}
SKU = {"product_id": bare_id("sku_id", oracle.SILO)}
BASKET = {"basket_id": bare_id("order_id", oracle.SILO)}


def _contracts(schema: str) -> dict[str, dict[str, str]]:
    """Columns and DuckDB types of every table that the YAML of a schema promises."""
    files = sorted((oracle.PROJECT / "transform" / "models" / schema).glob("**/*.yml"))
    texts = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    models = [model for text in texts for model in text.get("models", [])]
    return {
        model["name"]: {c["name"]: TYPES.get(c["data_type"], c["data_type"].upper()) for c in model["columns"]}
        for model in models
    }


UNIFIED = _contracts("unified")


def _count(database: Database, table: str) -> int:
    return int(database.sql(f"select count(*) from {table}").fetchall()[0][0])


def _manifest(release: Path) -> dict[str, Any]:
    path = release.parent / "manifest.json"
    if not path.exists():
        pytest.skip("no manifest beside this database")
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def test_published_figures_of_the_package() -> None:
    """The package is the one that was published: 20 of its values are above 0 and below half a cent."""
    table = oracle.load("transactions")
    sales = table["sales_value"]
    assert len(table) == 1_469_307
    assert (table["quantity"] == 0).sum() == 8_869
    assert (sales == 0).sum() == 11_226
    assert ((sales > 0) & (sales < 0.005)).sum() == 20
    assert table["household_id"].nunique() == 2_469
    assert table["basket_id"].nunique() == 155_848
    assert oracle.lines()["paid_amount"].sum() == 459_603_958


def test_published_figures_of_the_release(database: Database) -> None:
    """The 20 values below half a cent are 0.00 as money."""
    found = database.sql(
        """
        select count(*), sum(paid_amount)::varchar, count(distinct user_id), count(distinct order_id),
            count(*) filter (where units = 0), count(*) filter (where paid_amount = 0)
        from unified.fct_order_lines
        """
    ).fetchone()
    assert found == (1_469_307, "4596039.58", 2_469, 155_848, 8_869, 11_226 + 20)


def test_as_of_is_the_latest_transaction(database: Database) -> None:
    expected = pd.DataFrame({"as_of": [oracle.as_of()], "as_of_date": [oracle.as_of_date()]})
    expected = expected.assign(merchant=oracle.SILO, time_zone=oracle.ZONE, currency="USD")
    assert_table(database, "unified.dim_merchants", expected, ["merchant"])


def test_policies_are_the_documented_ones(database: Database) -> None:
    found = database.sql("select policy, position, policy_value from unified.dim_policies where is_current").df()
    lists = POLICY_LISTS | {name: [value] for name, value in POLICIES.items()}
    numbers = [(name, place, value) for name, values in lists.items() for place, value in enumerate(values, start=1)]
    empty = [(name, 0, float("nan")) for name, values in lists.items() if not values]
    expected = pd.DataFrame(numbers + empty, columns=["policy", "position", "policy_value"])
    assert_same(found, expected, ["policy", "position"], "dim_policies")


# Every table


@pytest.mark.parametrize("schema", ["unified", "marts"])
def test_every_table_has_the_columns_and_types_of_its_contract(database: Database, schema: str) -> None:
    promised = [(t, c, kind) for t, columns in _contracts(schema).items() for c, kind in columns.items()]
    expected = pd.DataFrame(promised, columns=["table_name", "column_name", "data_type"])
    found = database.sql(
        f"select table_name, column_name, data_type from information_schema.columns where table_schema = '{schema}'"
    ).df()
    assert_same(found, expected, ["table_name", "column_name"], f"columns of {schema}")


def test_tables_of_missing_silos_are_empty_and_the_others_are_not(database: Database) -> None:
    assert set(UNIFIED) > FILLED
    counts = {table: _count(database, f"unified.{table}") for table in UNIFIED}
    wrong = {table: rows for table, rows in counts.items() if (rows > 0) != (table in FILLED)}
    assert not wrong, f"rows of tables that are empty and should not be, or the reverse: {wrong}"


@pytest.mark.parametrize("table", sorted(table for table in FILLED if "silo" in UNIFIED[table]))
def test_ids_and_silo(database: Database, table: str) -> None:
    """Unified ids are the silo's with its name before it; source columns hold the bare id as text."""
    columns = UNIFIED[table]
    faults = [f"silo is distinct from '{oracle.SILO}'"]
    for source in (column for column in columns if column.startswith("source_") and column.endswith("_id")):
        faults.append(f"not coalesce(regexp_full_match({source}, '[0-9]+'), false)")
        unified = source.removeprefix("source_")
        # A person's id is not the silo's; nor is a coupon's, which is one person's.
        if unified in columns and unified not in {"user_id", "coupon_id"}:
            faults.append(f"{unified} is distinct from '{oracle.SILO}:' || {source}")
    assert_no_rows(database, f"from unified.{table} where {' or '.join(faults)} limit 100", f"ids of {table}")


@pytest.mark.parametrize("table", ["fct_orders", "fct_order_lines", "fct_coupons", "fct_user_touches"])
def test_persons_are_those_of_the_bridge(database: Database, table: str) -> None:
    query = f"""
        select facts.source_user_id, facts.user_id, identities.user_id as expected
        from unified.{table} as facts
        left join unified.bridge_user_identities as identities
            on facts.silo = identities.silo and facts.source_user_id = identities.source_id
        where facts.user_id is distinct from identities.user_id or facts.user_id is null
        limit 100
    """
    assert_no_rows(database, query, f"persons of {table}")


# Unified


def test_order_lines(database: Database) -> None:
    expected = oracle.lines()
    ids = {"household_id": "try_cast(source_user_id as bigint)", "store_id": bare_id("store_id", oracle.SILO)}
    assert_table(database, "unified.fct_order_lines", expected, ["basket_id", "product_id"], BASKET | SKU | ids)


def test_line_totals_by_date(database: Database) -> None:
    """What an analyst would check first; of dates and amounts it says more plainly than lines which day is wrong."""
    sums = ["units", "list_amount", "discount_amount", "third_party_discount_amount", "gmv_amount", "paid_amount"]
    expected = oracle.lines().groupby("placed_date")[sums].sum()
    expected["lines"] = oracle.lines().groupby("placed_date").size()
    selected = ", ".join(f"(sum({name}) * {1 if name == 'units' else 100})::bigint as {name}" for name in sums)
    grouped = "from unified.fct_order_lines group by paid_date"
    found = database.sql(f"select paid_date as placed_date, count(*) as lines, {selected} {grouped}").df()
    assert_same(found, expected.reset_index(), ["placed_date"], "totals of fct_order_lines")


def test_orders(database: Database) -> None:
    expected = oracle.orders()
    ids = {"household_id": "try_cast(source_user_id as bigint)", "store_id": bare_id("store_id", oracle.SILO)}
    assert_table(database, "unified.fct_orders", expected, ["basket_id"], BASKET | ids)


@pytest.mark.parametrize("table", ["fct_orders", "fct_order_lines"])
def test_every_basket_is_paid_in_a_store_at_once(database: Database, table: str) -> None:
    query = f"""
        from unified.{table}
        where channel is distinct from 'store' or channel_group is distinct from 'offline'
            or is_paid is distinct from true or paid_at is distinct from placed_at
            or paid_date is distinct from placed_date or refund_amount is distinct from 0
        limit 100
    """
    assert_no_rows(database, query, f"{table} that are not paid in a store")


def test_payments(database: Database) -> None:
    """A basket is paid once, in full, when it is placed."""
    expected = oracle.orders()[["basket_id", "paid_amount", "placed_at", "placed_date"]]
    expected = expected.rename(columns={"placed_at": "paid_at", "placed_date": "paid_date"}).assign(payment_kind="full")
    assert_table(database, "unified.fct_payments", expected, ["basket_id"], BASKET)


def test_users(database: Database) -> None:
    expected = oracle.users()
    assert_table(database, "unified.dim_users", expected, ["household_id"], HOUSEHOLD, IDENTITY)


def test_every_household_is_a_person_by_itself(database: Database) -> None:
    found = database.sql(
        """
        select try_cast(source_id as bigint) as household_id, evidence, confidence,
            count(*) over (partition by user_id) as identities
        from unified.bridge_user_identities
        """
    ).df()
    expected = oracle.users()[["household_id"]].assign(evidence="own", confidence=1.0, identities=1)
    assert_same(found, expected, ["household_id"], "bridge_user_identities")


def test_products(database: Database) -> None:
    """One version a SKU, those included that only facts name."""
    expected = oracle.products().drop(columns="category_name").assign(is_current=True)
    assert (~expected["is_in_catalogue"]).sum() == 20
    assert_table(database, "unified.dim_products", expected, ["product_id"], SKU)


def test_no_product_has_a_known_cost(database: Database) -> None:
    assert_no_rows(database, "from unified.dim_products where cost_amount is not null limit 100", "costs")
    assert_no_rows(database, "from unified.fct_order_lines where cost_amount is not null limit 100", "costs of lines")


def test_categories(database: Database) -> None:
    found = database.sql(
        """
        select categories.category_id, parents.category_name as department, categories.category_name,
            categories.sku_count
        from unified.dim_categories as categories
        left join unified.dim_categories as parents on categories.parent_category_id = parents.category_id
        where categories.category_level > 1
        """
    ).df()
    assert_same(found, oracle.categories(), ["category_id"], "dim_categories")
    tops = database.sql("select category_name from unified.dim_categories where category_level = 1").df()
    departments = pd.DataFrame({"category_name": oracle.products()["department"].unique()})
    assert_same(tops, departments, ["category_name"], "departments of dim_categories")


def test_product_daily(database: Database) -> None:
    expected = oracle.product_daily()
    assert_table(database, "unified.fct_product_daily", expected, ["product_id", "activity_date"], SKU)
    assert expected["paid_amount"].sum() == 459_603_958
    unknown = ["views", "carts", "gross_margin_amount", "stock_units", "lowest_competitor_amount"]
    query = f"from unified.fct_product_daily where coalesce({', '.join(unknown)}) is not null limit 100"
    assert_no_rows(database, query, "fct_product_daily that knows what no silo tells")


def test_stores(database: Database) -> None:
    expected = oracle.stores().assign(store_kind="store")
    assert_table(database, "unified.dim_stores", expected, ["store_id"], {"store_id": bare_id("store_id", oracle.SILO)})


def test_campaigns(database: Database) -> None:
    expected = oracle.campaigns()
    ids = {"campaign_id": bare_id("campaign_id", oracle.SILO)}
    assert_table(database, "unified.dim_campaigns", expected, ["campaign_id"], ids)


def test_campaign_skus(database: Database) -> None:
    expected = oracle.campaign_skus()
    ids = {"campaign_id": bare_id("campaign_id", oracle.SILO)}
    assert_table(database, "unified.bridge_campaign_skus", expected, ["campaign_id", "product_id"], SKU | ids)


def test_coupons_are_the_redemptions(database: Database) -> None:
    expected = oracle.redeemed_coupons().assign(is_redeemed=True)
    ids = {
        "household_id": "try_cast(source_user_id as bigint)",
        "coupon_upc": "try_cast(source_coupon_id as bigint)",
        "campaign_id": bare_id("campaign_id", oracle.SILO),
    }
    key = ["household_id", "coupon_upc", "campaign_id", "redeemed_date"]
    assert_table(database, "unified.fct_coupons", expected, key, ids)


def test_touches_are_the_mailings(database: Database) -> None:
    expected = oracle.load("campaigns")
    ids = {
        "household_id": "try_cast(source_user_id as bigint)",
        "campaign_id": bare_id("campaign_id", oracle.SILO),
    }
    assert len(expected) == 6_589
    assert_table(database, "unified.fct_user_touches", expected, ["campaign_id", "household_id"], ids)


def test_promotions_by_week(database: Database) -> None:
    expected = oracle.promotions_weekly()
    assert_table(database, "unified.fct_product_promotions", expected, ["product_id", "week_begin"], SKU)


def test_dates_go_from_the_first_mailing_to_the_years_end(database: Database) -> None:
    """Campaigns of the year before sent their coupons before the first basket."""
    days = pd.Series(pd.date_range("2016-11-14", "2017-12-31"))
    assert days.iloc[0] == pd.to_datetime(oracle.load("campaign_descriptions")["start_date"]).min()
    expected = pd.DataFrame(
        {
            "date_day": days,
            "year": days.dt.year,
            "quarter": days.dt.quarter,
            "month": days.dt.month,
            "month_begin": days - pd.to_timedelta(days.dt.day - 1, unit="D"),
            "week_begin": days - pd.to_timedelta(days.dt.weekday, unit="D"),
            "iso_weekday": days.dt.weekday + 1,
            "is_weekend": days.dt.weekday >= 5,
            "is_complete": True,
        }
    )
    assert_table(database, "unified.dim_dates", expected, ["date_day"])


def test_channels_are_the_seed(database: Database) -> None:
    expected = pd.read_csv(oracle.PROJECT / "transform" / "seeds" / "channels.csv")
    assert_table(database, "unified.dim_channels", expected, ["channel"])


# Marts: every column, so that a new one is met by a new definition here.


def _assert_mart(database: Database, table: str, expected: pd.DataFrame, key: list[str], **read: Any) -> None:
    bare = {"product_id": "sku_id", "household_id": "user_id"}
    covered = {bare.get(column, column) for column in map(str, expected.columns)}
    assert covered == set(_contracts("marts")[table]), f"columns of {table} and of the oracle"
    assert_table(database, f"marts.{table}", expected, key, **read)


def test_kpi_daily(database: Database) -> None:
    expected = oracle.kpi_daily()
    assert len(expected) == 2 * 365
    _assert_mart(database, "mart_kpi_daily", expected, ["kpi_date", "channel_group"])


def test_user_rfm(database: Database) -> None:
    expected = oracle.rfm()
    assert len(expected) == 2_469, "somebody is lapsed: the oracle has no definition of that row"
    _assert_mart(database, "mart_user_rfm", expected, ["household_id"], derived=HOUSEHOLD, joins=IDENTITY)


def test_user_retention(database: Database) -> None:
    expected = oracle.retention()
    assert len(expected) == 2 * 12 * 13 // 2
    _assert_mart(database, "mart_user_retention", expected, ["basis", "channel", "cohort_month", "age_months"])


def test_product_abc(database: Database) -> None:
    expected = oracle.product_abc()
    _assert_mart(database, "mart_product_abc", expected, ["abc_month", "product_id"], derived=SKU)


# Manifest


def test_manifest_counts_every_row_read(release: Path) -> None:
    sources = _manifest(release)["sources"]
    found = pd.DataFrame.from_dict(sources, orient="index").rename_axis("table").reset_index()
    found["table"] = found["table"].str.removeprefix(f"{oracle.SILO}.")
    assert_same(found, oracle.source_counts().assign(files=1), ["table"], "sources of the manifest")
    parts = ["rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded", "rows_erased"]
    unaccounted = found[found["rows_read"] != found[parts].sum(axis=1)]
    assert unaccounted.empty, f"rows read that are not accounted for:\n{unaccounted.to_string()}"


def test_manifest_tells_the_tables_of_the_database(database: Database, release: Path) -> None:
    told = _manifest(release)["tables"]
    names = [f"{schema}.{table}" for schema in ("unified", "marts") for table in _contracts(schema)]
    expected = pd.DataFrame({"table": names, "rows": [_count(database, name) for name in names]})
    found = pd.DataFrame({"table": list(told), "rows": [entry["rows"] for entry in told.values()]})
    assert_same(found, expected, ["table"], "tables of the manifest")


def test_manifest_tells_the_moment(release: Path) -> None:
    manifest = _manifest(release)
    assert manifest["merchant"] == oracle.SILO
    assert pd.Timestamp(manifest["as_of"]) == oracle.as_of().tz_localize("UTC")
    assert manifest["checks"]["failed"] == 0
