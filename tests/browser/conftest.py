"""The UI of the small merchant, served as `make up` does, and a real browser to look at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.integration.conftest import Small
from tests.serving import up

# The UI loads its definitions while it already answers, and the machine may be busy.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the machine's chromium is (`CHROMIUM`, or on the path)."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no chromium on this machine: install it with the system's package manager, or set CHROMIUM")
    return found


@pytest.fixture(scope="session")
def small(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small merchant after a run from the command line; not made where no browser would look at it."""
    assert chromium
    merchant = Small(tmp_path_factory.mktemp("browser") / "merchant")
    merchant.make()
    run = merchant.zhongtai("run")
    assert run.returncode == 0, run.stdout + run.stderr
    return merchant


@pytest.fixture(scope="session")
def ui(small: Small) -> Iterator[str]:
    """Address of the UI, stopped with all its children at the end."""
    environment = {"ZHONGTAI_HOME": str(small.home), "ZHONGTAI_MERCHANTS": str(small.folder / "merchants")}
    with up(environment, small.folder / "up.log") as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium, headless."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=BROWSER_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """An empty page; what it shows at the end is kept as a picture in the test's folder."""
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.screenshot(path=tmp_path / f"{request.node.name}.png")
    opened.close()
