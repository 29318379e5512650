"""A release of the real retailer, made once a session."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.sharing import made_once

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `zhongtai.duckdb` of a release: `ZHONGTAI_TEST_RELEASE` (file or folder) if set, else of a run made here."""
    given = os.environ.get("ZHONGTAI_TEST_RELEASE")
    if given:
        path = Path(given).resolve()
        return path / "zhongtai.duckdb" if path.is_dir() else path
    home, _ = made_once(tmp_path_factory, "complete_journey", _run)
    return (home / "complete_journey" / "releases" / "current").resolve() / "zhongtai.duckdb"


def _run(home: Path) -> str:
    """Runs the platform as a user would, and returns what it printed."""
    command = [sys.executable, "-m", "orchestration.cli", "run", "--merchant", "complete_journey"]
    environment = {**os.environ, "ZHONGTAI_HOME": str(home)}
    run = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"zhongtai run ended with {run.returncode}:\n{run.stdout}\n{run.stderr}"
    return run.stdout


@pytest.fixture(scope="session")
def database(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release, open for reading."""
    with duckdb.connect(str(release), read_only=True) as connection:
        yield connection
