"""The simulated merchant as a user has it: simulated, run, asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import yaml

from zhongtai.settings import PROJECT_ROOT


class Qinghe:
    """A simulated company below a folder, and the command line on it.

    Attributes:
        data: ZHONGTAI_HOME.
        home: the merchant's folder in it.
    """

    name = "qinghe"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.home = self.data / self.name
        self.merchants = folder / "merchants"

    def make(self, scale: str = "xs", seed: int = 7) -> str:
        """Simulates, runs, and returns what the run printed."""
        self.merchants.mkdir(parents=True)
        shutil.copy(PROJECT_ROOT / "merchants" / f"{self.name}.yml", self.merchants)
        for command in (("simulate", "--scale", scale, "--seed", str(seed)), ("run",)):
            done = self.zhongtai(*command)
            assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def zhongtai(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, as typed."""
        environment = {
            **os.environ,
            "ZHONGTAI_HOME": str(self.data),
            "ZHONGTAI_MERCHANTS": str(self.merchants),
            "COLUMNS": "200",
        }
        command = [sys.executable, "-m", "orchestration.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3000, check=False)

    @property
    def manifest(self) -> dict[str, Any]:
        """The current release's manifest."""
        return json.loads((self.home / "releases" / "current" / "manifest.json").read_text(encoding="utf-8"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks the current release with a plain DuckDB client."""
        with duckdb.connect(str(self.home / "releases" / "current" / "zhongtai.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def only(self, folder: Path, silos: list[str]) -> Qinghe:
        """The same company elsewhere, with only these silos connected; what landed is taken along."""
        other = Qinghe(folder)
        other.merchants.mkdir(parents=True)
        content = yaml.safe_load((self.merchants / f"{self.name}.yml").read_text(encoding="utf-8"))
        content["silos"] = {silo: {"path": str(self.home / "silos" / silo)} for silo in silos}
        (other.merchants / f"{self.name}.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        for part in ("landing", "raw", "quarantine"):
            shutil.copytree(self.home / part, other.home / part, symlinks=True)
        return other
