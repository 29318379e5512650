"""What a monitor sees in the UI: the graph, a check's result, a run, and that only whole runs publish."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.integration.conftest import Small

pytestmark = pytest.mark.browser

LAUNCH = """
mutation Launch($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, mode: "default", runConfigData: {}}) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on PythonError { message }
  }
}
"""
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def _graphql(ui: str, query: str, **variables: Any) -> Any:
    """Asks as the UI itself does."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{ui}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def _launch(ui: str, assets: list[list[str]] | None = None, job: str = "build_release") -> tuple[str, str]:
    """Launches a job, or some of its assets, and waits for its end.

    Returns:
        The run's id and status.
    """
    selector: dict[str, Any] = {
        "repositoryLocationName": "zhongtai",
        "repositoryName": "__repository__",
        "pipelineName": job,
    }
    if assets is not None:
        selector |= {"assetSelection": [{"path": path} for path in assets], "assetCheckSelection": []}
    launched = _graphql(ui, LAUNCH, selector=selector)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["id"]
    return run_id, _ended(ui, run_id)


def _ended(ui: str, run_id: str) -> str:
    """Waits for the run's end, and gives its status."""
    deadline = time.monotonic() + 240
    status = ""
    while time.monotonic() < deadline:
        status = _graphql(ui, STATUS, id=run_id)["runOrError"]["status"]
        if status in ("SUCCESS", "FAILURE", "CANCELED"):
            return status
        time.sleep(1)
    raise AssertionError(f"run {run_id} is still {status}")


def test_graph_shows_the_way_from_silo_to_release(ui: str, page: Page) -> None:
    page.goto(f"{ui}/asset-groups")
    for group in ("complete_journey", "staging", "unified_order", "marts_user", "release"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible()


def test_asset_page_tells_what_a_table_is(ui: str, page: Page, small: Small) -> None:
    page.goto(f"{ui}/assets/unified/fct_orders")
    expect(page.get_by_text("One row an order, whatever the channel (订单).").first).to_be_visible()
    rows = small.manifest["tables"]["unified.fct_orders"]["rows"]
    expect(page.get_by_text(f"{rows:,}").first).to_be_visible()


def test_check_shows_its_rule_and_the_offending_rows(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/complete_journey/transactions?view=checks&checkDetail=units_are_countable")
    expect(page.get_by_text("A quantity above 1,000 is a volume").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"of [\d,]+ rows: quantity = ")).first).to_be_visible()
    expect(page.get_by_text("basket_id").first).to_be_visible()


def test_run_of_the_command_line_is_seen(ui: str, page: Page, small: Small) -> None:
    page.goto(f"{ui}/runs/{small.manifest['run_id']}")
    expect(page.get_by_text("build_release").first).to_be_visible()
    expect(page.get_by_text("Success").first).to_be_visible()
    # The names of steps are cut short where one of them took long: they are counted.
    expect(page.get_by_text("Succeeded (7)").first).to_be_visible()
    page.goto(f"{ui}/locations/zhongtai/jobs/build_release/runs")
    expect(page.get_by_text(small.manifest["run_id"][:8]).first).to_be_visible()


def test_single_asset_can_be_made_by_hand_and_is_not_published(ui: str, small: Small) -> None:
    before = small.manifest["release_id"]
    _, status = _launch(ui, [["marts", "mart_user_rfm"]])
    assert status == "SUCCESS"
    assert small.manifest["release_id"] == before


def test_release_by_hand_is_refused_with_a_message(ui: str, page: Page, small: Small) -> None:
    before = small.manifest["release_id"]
    run_id, status = _launch(ui, [["release"]])
    assert status == "FAILURE"
    assert small.manifest["release_id"] == before
    page.goto(f"{ui}/runs/{run_id}")
    expect(page.get_by_text("Only a whole run publishes").first).to_be_visible()


def test_materialize_all_above_the_graph_is_a_whole_run(ui: str, page: Page, small: Small) -> None:
    before = small.manifest["release_id"]
    page.goto(f"{ui}/asset-groups")
    expect(page.get_by_text("marts_user", exact=True).last).to_be_visible()
    with page.expect_response(_is_launch, timeout=120_000) as launched:
        page.get_by_role("button", name="Materialize all").click()
    run_id = launched.value.json()["data"]["launchPipelineExecution"]["run"]["id"]
    assert _ended(ui, run_id) == "SUCCESS"
    assert small.manifest["release_id"] == before
    page.goto(f"{ui}/runs/{run_id}")
    expect(page.get_by_text("Nothing new since").first).to_be_visible()


def _is_launch(response: Response) -> bool:
    body = response.request.post_data or ""
    return "graphql" in response.url and '"operationName":"LaunchPipelineExecution"' in body


def test_job_launched_from_the_ui_publishes_what_is_new(ui: str, small: Small) -> None:
    before = small.manifest["release_id"]
    merchant_file = small.folder / "merchants" / "small.yml"
    merchant_file.write_text(merchant_file.read_text() + "policies: {new_buyer_days: 30}\n", encoding="utf-8")
    _, status = _launch(ui)
    assert status == "SUCCESS"
    assert small.manifest["release_id"] > before
    assert small.manifest["policies"]["new_buyer_days"]["value"] == 30


def test_report_of_the_release_opens(page: Page, small: Small) -> None:
    page.goto((small.releases / "current" / "checks" / "report.html").resolve().as_uri())
    expect(page.get_by_text("通过").first).to_be_visible()
    expect(page.get_by_text("units_are_countable").first).to_be_visible()
