"""A failure is written down, and posted where somebody listens."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from zhongtai import alerts
from zhongtai.merchant import Merchant
from zhongtai.settings import PROJECT_ROOT, Settings


@pytest.fixture
def shop(tmp_path: Path) -> Merchant:
    return Merchant(
        name="shop",
        title="店铺",
        time_zone="UTC",
        currency="CNY",
        locale="zh_CN",
        silos={},
        file=tmp_path / "shop.yml",
        home=tmp_path / "shop",
    )


def _settings(webhook: str | None) -> Settings:
    return Settings(project=PROJECT_ROOT, home=Path(), merchant=None, merchants=Path(), alert_webhook=webhook)


def test_alert_is_a_line(shop: Merchant) -> None:
    assert alerts.latest(shop) is None
    alerts.raise_alert(shop, _settings(None), "run1", "marts", "价格 wrong\nsecond line")
    alerts.raise_alert(shop, _settings(None), "run2", "release", "again")
    latest = alerts.latest(shop)
    assert latest is not None and latest["run_id"] == "run2"
    lines = (shop.home / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["run_id"] for line in lines] == ["run1", "run2"]
    assert json.loads(lines[0])["message"] == "价格 wrong\nsecond line"


def test_alert_is_posted(shop: Merchant) -> None:
    received: list[dict[str, str]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    alerts.raise_alert(shop, _settings(f"http://127.0.0.1:{server.server_port}/"), "run1", "marts", "broken")
    thread.join(timeout=10)
    server.server_close()
    assert received[0]["text"] == "店铺: marts failed: broken"
    assert received[0]["run_id"] == "run1"


@pytest.mark.parametrize("webhook", ["http://127.0.0.1:9/", "not an address"])
def test_deaf_webhook_hides_nothing(shop: Merchant, webhook: str, caplog: pytest.LogCaptureFixture) -> None:
    alerts.raise_alert(shop, _settings(webhook), "run1", "marts", "broken")
    assert (shop.home / "alerts.jsonl").exists()
    assert "did not take the alert" in caplog.text
