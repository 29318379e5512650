"""Releases of the real merchants, each made once a session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.real import olist_oracle
from tests.sharing import made_once

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `zhongtai.duckdb` of a release: `ZHONGTAI_TEST_RELEASE` (file or folder) if set, else of a run made here."""
    given = os.environ.get("ZHONGTAI_TEST_RELEASE")
    if given:
        path = Path(given).resolve()
        return path / "zhongtai.duckdb" if path.is_dir() else path
    home, _ = made_once(tmp_path_factory, "complete_journey", lambda home: _run(home, "complete_journey"))
    return _published(home, "complete_journey")


@pytest.fixture(scope="session")
def database(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release, open for reading."""
    with duckdb.connect(str(release), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def olist_files() -> Path:
    """The folder of Olist's public files; skips where they are not."""
    files = olist_oracle.folder()
    missing = [name for name in olist_oracle.FILES.values() if not (files / name).exists()]
    if missing:
        pytest.skip(f"no {missing[0]} in {files}: name the folder that holds olist/ by ZHONGTAI_REAL_DATA")
    return files


@pytest.fixture(scope="session")
def olist_release(tmp_path_factory: pytest.TempPathFactory, olist_files: Path) -> Path:
    """The `zhongtai.duckdb` of a run on Olist's public files."""
    home, _ = made_once(tmp_path_factory, "olist", lambda home: _run_olist(home, olist_files))
    return _published(home, "olist")


@pytest.fixture(scope="session")
def olist(olist_release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release of Olist, open for reading."""
    with duckdb.connect(str(olist_release), read_only=True) as connection:
        yield connection


def _run_olist(home: Path, files: Path) -> str:
    """Puts the files where a user does (docs/olist.md), and runs."""
    silo = home / "olist" / "silos" / "olist"
    silo.mkdir(parents=True)
    for name in olist_oracle.FILES.values():
        shutil.copyfile(files / name, silo / name)
    return _run(home, "olist")


def _run(home: Path, merchant: str) -> str:
    """Runs the platform as a user would, and returns what it printed."""
    command = [sys.executable, "-m", "orchestration.cli", "run", "--merchant", merchant]
    environment = {**os.environ, "ZHONGTAI_HOME": str(home)}
    run = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"zhongtai run ended with {run.returncode}:\n{run.stdout}\n{run.stderr}"
    return run.stdout


def _published(home: Path, merchant: str) -> Path:
    """The database of a merchant's current release."""
    return (home / merchant / "releases" / "current").resolve() / "zhongtai.duckdb"
