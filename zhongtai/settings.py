"""Where things are. The only place that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]

# Every tool below phones home unless told not to.
NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
}


@dataclass(frozen=True)
class Settings:
    """The paths of one installation.

    Attributes:
        project: the checkout: transform/, expectations/ and merchants/ stand below it.
        home: where data live, a folder a merchant (`ZHONGTAI_HOME`, default `data/`).
        merchant: the merchant's name (`ZHONGTAI_MERCHANT`), None where not chosen.
        merchants: the folder of merchant files (`ZHONGTAI_MERCHANTS`, default `merchants/`).
        alert_webhook: where failures are posted to (`ZHONGTAI_ALERT_WEBHOOK`), None for nowhere.
        personal_key: the key of personal tokens (`ZHONGTAI_PERSONAL_KEY`), None where not given; never shown.
        personal_key_file: the file that holds it (`ZHONGTAI_PERSONAL_KEY_FILE`), None where not given.
    """

    project: Path
    home: Path
    merchant: str | None
    merchants: Path
    alert_webhook: str | None = None
    personal_key: str | None = field(default=None, repr=False)
    personal_key_file: Path | None = None

    @property
    def transform(self) -> Path:
        """The dbt project."""
        return self.project / "transform"

    @property
    def sources(self) -> Path:
        """The dbt sources files: the contracts of raw tables."""
        return self.transform / "models" / "sources"

    @property
    def expectations(self) -> Path:
        """Great Expectations suites, a file a table."""
        return self.project / "expectations"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance: run history, event log, daemon state."""
        return self.home / "dagster"


def load() -> Settings:
    """Reads the environment and switches telemetry off."""
    os.environ.update(NO_TELEMETRY)
    home = os.environ.get("ZHONGTAI_HOME") or PROJECT_ROOT / "data"
    merchants = os.environ.get("ZHONGTAI_MERCHANTS") or PROJECT_ROOT / "merchants"
    key_file = os.environ.get("ZHONGTAI_PERSONAL_KEY_FILE")
    return Settings(
        project=PROJECT_ROOT,
        home=Path(home).expanduser().resolve(),
        merchant=os.environ.get("ZHONGTAI_MERCHANT") or None,
        merchants=Path(merchants).expanduser().resolve(),
        alert_webhook=os.environ.get("ZHONGTAI_ALERT_WEBHOOK") or None,
        personal_key=os.environ.get("ZHONGTAI_PERSONAL_KEY") or None,
        personal_key_file=Path(key_file).expanduser().resolve() if key_file else None,
    )


def secret(name: str) -> str | None:
    """The environment variable that a merchant file names, None where it is not set."""
    return os.environ.get(name) or None
