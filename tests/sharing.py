"""What is dear is made once, whichever of pytest-xdist's workers asks first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], str]) -> tuple[Path, str]:
    """A folder that `make` fills, and the text that it returned, shared by all workers of a test run.

    The mark `xdist_group` would not do: pytest-xdist 3.8 ignores it with pytest 9.
    """
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, outcome = shared / name, shared / f"{name}.txt"
    with FileLock(shared / f"{name}.lock"):
        if not outcome.exists():
            folder.mkdir()
            outcome.write_text(make(folder), encoding="utf-8")
    return folder, outcome.read_text(encoding="utf-8")
