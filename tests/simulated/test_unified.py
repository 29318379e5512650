"""Every unified table, row for row and column for column, is what the silos' files say."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.simulated import expected
from tests.simulated.unified import calendar, identities, order, product, shared, supply, user
from tests.simulated.unified.company import Company, assert_unified

pytestmark = pytest.mark.silos

TABLES = {
    **order.TABLES,
    **product.TABLES,
    **shared.TABLES,
    **supply.TABLES,
    **user.TABLES,
    **identities.TABLES,
    **calendar.TABLES,
}
# Judged by test_reference_tables, test_history, test_masked_links and the tests of OneID; and the one table that no
# silo of Qinghe tells.
ELSEWHERE = {
    "dim_channels",
    "dim_regions",
    "dim_member_levels",
    "bridge_masked_identities",
    "log_user_merges",
    "fct_product_promotions",
}


@pytest.fixture(scope="session")
def company(silos: Path, release: duckdb.DuckDBPyConnection) -> Company:
    """The silos' files with the release's persons and regions."""
    return Company.of(silos, release)


@pytest.mark.parametrize("name", TABLES)
def test_table_is_what_the_files_say(company: Company, release: duckdb.DuckDBPyConnection, name: str) -> None:
    assert_unified(company, release, name, TABLES[name])


def test_no_table_is_left_out(release: duckdb.DuckDBPyConnection) -> None:
    found = release.sql("select table_name from information_schema.tables where table_schema = 'unified'").fetchall()
    assert {name for (name,) in found} == TABLES.keys() | ELSEWHERE


def test_no_silo_of_qinghe_tells_promotions_in_stores(release: duckdb.DuckDBPyConnection) -> None:
    assert release.sql("select count(*) from unified.fct_product_promotions").fetchone() == (0,)


def test_every_sku_that_facts_name_is_in_the_catalogue(company: Company) -> None:
    """Else dim_products would have more rows than the ERP tells, and the calculation fewer."""
    facts = (expected.order_lines(company.silos), expected.inventory(company.silos))
    assert set(pd.concat([fact["sku_id"] for fact in facts])) <= set(company.rows("erp", "skus")["sku_id"])


def test_orders_and_their_lines_were_made_at_one_moment(company: Company) -> None:
    """Both files tell when a purchase was ordered; the table could hold either."""
    heads = company.rows("erp", "purchase_orders").set_index("purchase_order_id")["created_at"]
    lines = company.rows("erp", "purchase_lines")
    assert (lines["created_at"] == lines["purchase_order_id"].map(heads)).all()
