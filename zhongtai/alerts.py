"""Tells people that a run failed: a line in the merchant's alerts file, and a webhook where one is set."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from datetime import UTC, datetime

from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

LOGGER = logging.getLogger(__name__)


def latest(merchant: Merchant) -> dict[str, str] | None:
    """The last alert that was raised, None where there is none."""
    file = merchant.home / "alerts.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return json.loads(lines[-1]) if lines else None


def raise_alert(merchant: Merchant, settings: Settings, run_id: str, step: str, message: str) -> None:
    """Records a failure, and posts it as JSON to `ZHONGTAI_ALERT_WEBHOOK` where that is set.

    A webhook that does not answer is logged: it must not hide the failure itself.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    alert = {"at": now, "merchant": merchant.name, "run_id": run_id, "step": step, "message": message}
    merchant.home.mkdir(parents=True, exist_ok=True)
    with (merchant.home / "alerts.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(alert, ensure_ascii=False) + "\n")
    if settings.alert_webhook:
        body = json.dumps({"text": f"{merchant.title}: {step} failed: {message}", **alert}, ensure_ascii=False)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            request = urllib.request.Request(settings.alert_webhook, body.encode(), headers)
            urllib.request.urlopen(request, timeout=10).close()
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            LOGGER.warning("The alert webhook did not take the alert: %s", error)
