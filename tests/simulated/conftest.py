"""The simulated company after one run, for all workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.qinghe import Qinghe
from tests.sharing import made_once


@pytest.fixture(scope="session")
def qinghe(tmp_path_factory: pytest.TempPathFactory) -> Qinghe:
    """The company at scale xs. Not to be changed. `ZHONGTAI_TEST_QINGHE` may name a folder where it is already."""
    given = os.environ.get("ZHONGTAI_TEST_QINGHE")
    if given:
        return Qinghe(Path(given))
    folder, _ = made_once(tmp_path_factory, "qinghe", lambda folder: Qinghe(folder / "company").make())
    return Qinghe(folder / "company")


@pytest.fixture(scope="session")
def silos(qinghe: Qinghe) -> Path:
    """The folder of the silos' files."""
    return qinghe.home / "silos"


@pytest.fixture(scope="session")
def release(qinghe: Qinghe) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release, open for reading."""
    with duckdb.connect(str(qinghe.home / "releases" / "current" / "zhongtai.duckdb"), read_only=True) as connection:
        yield connection
