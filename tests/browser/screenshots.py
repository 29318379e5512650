"""Takes the documents' pictures from a UI that is served: python -m tests.browser.screenshots [ADDRESS]."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import FloatRect, Page, sync_playwright

from tests.browser.conftest import BROWSER_FLAGS

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


GROUPS = ("crm", "weather", "seeds", "marts_marketing", "marts_supply", "marts_user", "release")
MARGIN = 40


def _around(page: Page, names: tuple[str, ...]) -> FloatRect:
    """The part of the page that has the graph's nodes of these names; the list beside it has them too, further left."""
    boxes = [page.get_by_text(name, exact=True).last.bounding_box() for name in names]
    found = [box for box in boxes if box is not None]
    left = min(box["x"] for box in found) - MARGIN
    top = min(box["y"] for box in found) - MARGIN
    right = max(box["x"] + box["width"] for box in found) + MARGIN
    bottom = max(box["y"] + box["height"] for box in found) + MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def main(address: str) -> None:
    """Asset graph and a check's result, of the merchant Qinghe."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER_FLAGS)
        page = browser.new_page(viewport={"width": 1700, "height": 1500}, device_scale_factor=1.5)
        page.goto(f"{address}/asset-groups")
        page.get_by_text("Hide navigation").click()
        page.wait_for_timeout(5_000)
        page.add_style_tag(content="[class*=zoomSliderContainer] { visibility: hidden }")
        # The graph is higher than the page: what stands above its upper edge is pulled down.
        page.mouse.move(700, 1200)
        page.mouse.down()
        page.mouse.move(700, 1350, steps=10)
        page.mouse.up()
        page.screenshot(path=IMAGES / "asset-graph.png", clip=_around(page, GROUPS))
        page.set_viewport_size({"width": 1700, "height": 900})
        page.goto(f"{address}/assets/unified/fct_user_touches?view=checks&checkDetail=reader_is_known")
        page.get_by_text("Latest execution").first.wait_for()
        page.wait_for_timeout(2_000)
        page.screenshot(path=IMAGES / "check-result.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000")
