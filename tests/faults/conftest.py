"""Shops for the fault suite, and how many random cases it tries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.ingest.conftest import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop with no table yet."""
    return Shop(tmp_path)


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of bad files does not depend on it, and it is a fifth of the time. Kills are tried without."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
