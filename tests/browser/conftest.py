"""The UI of the small merchant, served as `make up` does, and a real browser to look at it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.integration.conftest import Small

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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "ZHONGTAI_HOME": str(small.home),
        "ZHONGTAI_MERCHANTS": str(small.folder / "merchants"),
    }
    command = [sys.executable, "-m", "orchestration.cli", "up", "--port", str(port)]
    with (small.folder / "up.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_served(f"http://127.0.0.1:{port}/server_info", server, small.folder / "up.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            _stop(server)


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


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Interrupts the server and its children; kills what does not listen, as where pytest runs in the background."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=20)
        os.killpg(server.pid, signal.SIGKILL)
    server.wait(timeout=10)


def _wait_until_served(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(1)
    raise AssertionError(log.read_text(encoding="utf-8"))
