"""Takes the documents' pictures from a UI that is served: python -m tests.browser.screenshots [ADDRESS]."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import BROWSER_FLAGS

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main(address: str) -> None:
    """Asset graph and a check's result, of the merchant Complete Journey."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
        page = browser.new_page(viewport={"width": 1700, "height": 900}, device_scale_factor=1.5)
        page.goto(f"{address}/asset-groups")
        page.get_by_text("Hide navigation").click()
        page.wait_for_timeout(5_000)
        graph = page.get_by_text("Search and filter assets").or_(page.get_by_placeholder("Search and filter assets"))
        box = graph.first.bounding_box()
        assert box is not None
        top = box["y"] + box["height"] + 20
        clip = {"x": box["x"], "y": top, "width": 1700 - box["x"] - 60, "height": 900 - top - 20}
        page.screenshot(path=IMAGES / "asset-graph.png", clip=clip)  # type: ignore[arg-type]
        page.goto(f"{address}/assets/complete_journey/transactions?view=checks&checkDetail=units_are_countable")
        page.get_by_text("Latest execution").first.wait_for()
        page.wait_for_timeout(2_000)
        page.screenshot(path=IMAGES / "check-result.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000")
