"""The data dictionary of a release in a real browser: two languages, search, anchors, a narrow window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.integration.conftest import Small

pytestmark = pytest.mark.browser


@pytest.fixture
def address(small: Small) -> str:
    """The page that `zhongtai docs` names."""
    return f"file://{small.zhongtai('docs').stdout.strip()}"


def test_page_switches_language_and_finds_columns(address: str, page: Page, small: Small) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(address)
    expect(page.locator(".entry")).to_have_count(len(small.manifest["tables"]))
    expect(page.get_by_role("heading", name="Data dictionary")).to_be_visible()
    page.locator("#language").click()
    expect(page.get_by_role("heading", name="数据字典")).to_be_visible()

    page.locator("#search").fill("客单价")
    visible = page.locator(".entry:visible")
    expect(visible).to_have_count(1)
    expect(visible.locator("tbody tr:visible")).to_have_count(1)
    expect(visible.get_by_text("average_order_amount")).to_be_visible()
    assert [url for url in requested if not url.startswith("file:")] == []


def test_every_table_tells_in_both_languages_what_a_row_is_and_how_fresh_it_is(address: str, page: Page) -> None:
    """The contracts of this retailer's campaigns have no event time; its SKUs are also what its tills name."""
    page.goto(f"{address}#unified.dim_campaigns")
    entry = page.locator("[id='unified.dim_campaigns']")
    expect(entry.get_by_text("One row a campaign")).to_be_visible()
    expect(entry.get_by_text("latest landing of")).to_be_visible()
    page.locator("#language").click()
    expect(entry.get_by_text("每行一个营销活动。")).to_be_visible()
    expect(entry.get_by_text("One row a campaign")).to_be_hidden()
    expect(entry.get_by_text("最近到达，来自")).to_be_visible()
    expect(entry.locator("tbody").get_by_text("活动ID", exact=True)).to_be_visible()
    page.goto(f"{address}#unified.dim_products")
    product = page.locator("[id='unified.dim_products']")
    expect(product.get_by_text("complete_journey.transactions", exact=True)).to_be_visible()
    expect(page.locator("[id='unified.fct_user_events'] .rows")).not_to_contain_text("2017")
    labels = page.locator("tbody td.zh-only").all_text_contents()
    assert labels and all(label.strip() for label in labels)
    assert [text for text in page.locator(".body > p .zh-only").all_text_contents() if "每行一" not in text] == []


def test_an_anchor_opens_its_table_and_a_narrow_window_holds_it(address: str, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}#marts.mart_user_rfm")
    expect(page.locator("[id='marts.mart_user_rfm'] tbody").get_by_text("recency_days", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_json_beside_it_holds_the_same_tables(address: str, small: Small) -> None:
    file = Path(address.removeprefix("file://")).with_suffix(".json")
    made = json.loads(file.read_text(encoding="utf-8"))
    assert [table["name"] for table in made["tables"]] == sorted(small.manifest["tables"])


def test_lineage_shows_a_model_and_its_graph_without_a_network(page: Page, small: Small) -> None:
    lineage = small.zhongtai("docs", "--lineage").stdout.split()[-1]
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(f"file://{lineage}#!/model/model.zhongtai.fct_user_daily")
    expect(page.get_by_role("heading", name="fct_user_daily")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("One row a person and day").first).to_be_visible()
    page.locator("a[ng-click='onLauncherClick()']").click()
    expect(page.get_by_text("Lineage Graph").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible(timeout=20_000)
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
