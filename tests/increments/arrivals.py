"""A company whose files arrive day by day: late, twice, corrected, and under other policies."""

from __future__ import annotations

import gzip
import random
import re
import shutil
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import yaml

from zhongtai import merchant as merchants
from zhongtai import policies
from zhongtai.changes import build as changes
from zhongtai.changes.build import Wanted
from zhongtai.ingest import landing, loader, raw_views
from zhongtai.ingest.contract import load_contracts
from zhongtai.merchant import Merchant
from zhongtai.settings import PROJECT_ROOT, Settings
from zhongtai.transform import NodeResult, Transform

UNIFIED = ["staging", "intermediate", "unified", "resource_type:seed"]
POLICIES: dict[str, list[float]] = {"competitor_match_score": [0.5, 0.7, 0.9], "identity_holders_limit": [2, 5, 8]}
# Tables whose rows are only added: a corrected file of theirs takes rows away.
CORRECTED = ("storefront/refunds_*", "storefront/events_*", "marketplace/refunds_*", "live/refunds_*")
Hashes = dict[str, tuple[int, int, int]]
_DAY = re.compile(r"20\d{6}")


class Company:
    """Some silos of Qinghe below a folder, and the steps of a run without Dagster.

    Args:
        source: the silos of a whole simulated company.
        silos: which of them the company has.
        time_zone: where it is.
    """

    def __init__(self, folder: Path, source: Path, rng: random.Random, silos: list[str], time_zone: str) -> None:
        self.folder, self.source, self.rng, self.silos, self.time_zone = folder, source, rng, silos, time_zone
        self.day = date(2025, 10, 2)
        self.late_share = 1 / 30
        self.policies: dict[str, float] = {}
        self.held: dict[Path, date] = {}
        (folder / "merchants").mkdir(parents=True)

    def pass_days(self, days: int) -> None:
        """What the silos write until then arrives; a few files come some days late."""
        self.day += timedelta(days=days)
        for silo in self.silos:
            for file in sorted((self.source / silo).iterdir()):
                target = self._place(file)
                if target.exists() or self._written(file) > self.day:
                    continue
                late = self.rng.randint(1, 9) if self.rng.random() < self.late_share else 0
                if self.held.setdefault(file, self._written(file) + timedelta(days=late)) <= self.day:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)

    def repeat_a_file(self) -> None:
        """A file that is there arrives again, under another name."""
        file = self.rng.choice(sorted(self.folder.glob("silos/*/*_20*")))
        shutil.copyfile(file, file.with_name(file.name.replace(".", "_again.", 1)))

    def correct_a_file(self) -> None:
        """A file of a table that is only added to arrives again without its last row."""
        found = [file for pattern in CORRECTED for file in sorted(self.folder.glob(f"silos/{pattern}"))]
        self.rng.shuffle(found)
        file, lines = next((file, lines) for file in found if (lines := _lines(file)))
        kept = b"".join(lines[:-1])
        file.write_bytes(gzip.compress(kept, mtime=0) if file.suffix == ".gz" else kept)

    def decide_otherwise(self) -> None:
        """A policy changes."""
        name = self.rng.choice(sorted(POLICIES))
        values: list[float] = POLICIES[name]
        self.policies[name] = self.rng.choice(values)

    def travel(self) -> datetime:
        """A moment some days ago."""
        return datetime.combine(self.day - timedelta(days=self.rng.randint(1, 6)), time(12))

    def recall(self) -> int:
        """A position in the landing order, of which some tables have no file yet."""
        last = landing.position(self.merchant)
        return self.rng.randint(last // 3, last)

    def build(self, *, is_full: bool = False, as_of: datetime | None = None, known_at: int | None = None) -> None:
        """Lands, loads and builds the middle layer."""
        self.ingest(as_of, known_at)
        self.transform(is_full=is_full)

    def ingest(self, as_of: datetime | None = None, known_at: int | None = None) -> None:
        """Lands and loads what came, and makes the raw views."""
        settings, merchant = self.settings, self.merchant
        contracts = load_contracts(settings.sources, sorted(merchant.silos))
        landing.land(merchant, contracts)
        loader.load_pending(merchant, contracts)
        with duckdb.connect(str(merchant.database)) as connection:
            found = policies.load(merchant, settings)
            raw_views.create_raw_views(connection, merchant, contracts, found, as_of=as_of, known_at=known_at)

    def transform(self, *, is_full: bool = False, again: tuple[date, date] | None = None) -> None:
        """Builds the middle layer of what the raw views show."""
        project = Transform(self.merchant, self.settings)
        results = changes.build(project, UNIFIED, Wanted(is_full=is_full, again=again, is_tested=False))
        _assert_built(results)

    def hashes(self) -> Hashes:
        """Builds the marts; count, xor and sum of the hashes of the rows of every unified table and mart."""
        merchant = self.merchant
        _assert_built(Transform(merchant, self.settings).build(["marts"], tests="empty"))
        with duckdb.connect(str(merchant.database), read_only=True) as connection:
            return _hashes(connection)

    @property
    def merchant(self) -> Merchant:
        """The company as its file has it now."""
        settings = self.settings
        content = yaml.safe_load((PROJECT_ROOT / "merchants" / "qinghe.yml").read_text(encoding="utf-8"))
        content["silos"] = {silo: {"path": str(self.folder / "silos" / silo)} for silo in self.silos}
        content["policies"] = self.policies
        content["time_zone"] = self.time_zone
        file = settings.merchants / "qinghe.yml"
        file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return merchants.load("qinghe", settings)

    @property
    def settings(self) -> Settings:
        """This checkout, with the company's data."""
        return Settings(PROJECT_ROOT, self.folder / "data", "qinghe", self.folder / "merchants")

    def _place(self, file: Path) -> Path:
        return self.folder / "silos" / file.parent.name / file.name

    @staticmethod
    def _written(file: Path) -> date:
        """The day of a file's name; what has none was always there."""
        found = _DAY.search(file.name)
        return datetime.strptime(found.group(0), "%Y%m%d").date() if found else date.min


def _lines(file: Path) -> list[bytes]:
    """The lines of a file, none where it is damaged."""
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except EOFError:  # the simulator cuts some archives
        return []
    return content.splitlines(keepends=True)


def _assert_built(results: list[NodeResult]) -> None:
    failed = [f"{result.name}: {result.message}" for result in results if not result.is_ok]
    assert not failed, failed


def _hashes(connection: duckdb.DuckDBPyConnection) -> Hashes:
    """Count, xor and sum of the hashes of each table's rows."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name in ('unified', 'marts') order by all"
    ).fetchall()
    found = {}
    for schema, table in tables:
        query = f"select count(*), bit_xor(hash(rows)), sum(hash(rows)::hugeint) from {schema}.{table} as rows"
        row = connection.execute(query).fetchone()
        assert row is not None
        found[f"{schema}.{table}"] = row
    return found
