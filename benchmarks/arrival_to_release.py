"""How long after a file landed its rows are in the current release, with `zhongtai up` watching the folders.

    python -m benchmarks.arrival_to_release [--scale s] [--limit 120]

A company is simulated and run, without the last day of logistics, erp and events. Then the UI and its daemon are
started as `make up` does, and the files that were left out arrive in their folders, a batch after the other. Timed is
from the moment that a batch is there until the release that counts its files is the current one; beside it, when the
run began to work. Ends with 1 where a batch took longer than the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.serving import up
from zhongtai import lock
from zhongtai import merchant as merchants
from zhongtai.merchant import Merchant
from zhongtai.settings import PROJECT_ROOT, Settings
from zhongtai.simulator.simulate import simulate

MERCHANT = "qinghe"
PATIENCE_SECONDS = 1_800


class Batch(NamedTuple):
    """Files that arrive together: where they belong and what they are called, `{day}` being the last."""

    title: str
    patterns: tuple[str, ...]


BATCHES = (
    Batch("logistics, first half of the day", ("logistics/*_{day}_am.*",)),
    Batch("erp, the day's changes and stock", ("erp/*_{day}.*",)),
    Batch("storefront, the day's events", ("storefront/events_{day}.*",)),
    Batch("logistics, second half of the day", ("logistics/*_{day}_pm.*",)),
)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="s")
    parser.add_argument("--limit", type=float, default=120, help="seconds that a batch may take")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("interrupted"))  # leaves no daemon behind
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "data"
        merchant = merchants.load(MERCHANT, Settings(PROJECT_ROOT, home, MERCHANT, PROJECT_ROOT / "merchants"))
        company = simulate(merchant.home, given.scale, 1)
        withheld = {
            batch: _withhold(merchant, Path(scratch), batch, f"{company.last_date:%Y%m%d}") for batch in BATCHES
        }
        whole = _run(home)
        print(f"scale {given.scale}: {sum(company.rows.values()):,} rows, the first whole run {whole:.0f} s")
        print("| what arrived | files | run began after | released after |\n|---|---|---|---|", flush=True)
        slowest = 0.0
        log = Path(scratch) / "up.log"
        with up(_environment(home), log, PATIENCE_SECONDS):
            for batch, files in withheld.items():
                try:
                    began, released = _arrive(merchant, files)
                except SystemExit:
                    print(log.read_text(encoding="utf-8")[-5000:], file=sys.stderr)
                    raise
                slowest = max(slowest, released)
                print(f"| {batch.title} | {len(files)} | {began:.0f} s | {released:.0f} s |", flush=True)
    print(f"\nthe slowest took {slowest:.0f} s of {given.limit:.0f}")
    sys.exit(slowest > given.limit)


def _withhold(merchant: Merchant, folder: Path, batch: Batch, day: str) -> dict[Path, Path]:
    """Takes the batch's files out of their silos' folders: where each belongs, and where it waits."""
    silos = merchant.home / "silos"
    found = [file for pattern in batch.patterns for file in sorted(silos.glob(pattern.format(day=day)))]
    if not found:
        raise SystemExit(f"the simulator made no files like {batch.patterns} for {day}")
    files = {}
    for file in found:
        files[file] = folder / "later" / file.relative_to(silos)
        files[file].parent.mkdir(parents=True, exist_ok=True)
        file.rename(files[file])
    return files


def _run(home: Path) -> float:
    """Seconds of the first whole run, as typed."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "orchestration.cli", "run", "--merchant", MERCHANT]
    done = subprocess.run(
        command, env=_environment(home), cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"the run failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - started


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "ZHONGTAI_HOME": str(home), "ZHONGTAI_MERCHANT": MERCHANT}


def _arrive(merchant: Merchant, files: dict[Path, Path]) -> tuple[float, float]:
    """Puts the files where they belong; seconds until a run has begun, and until a release has them all."""
    _wait(lambda: not lock.is_held(merchant), "the run before did not end")
    before = _files(merchant)
    tables = Counter(f"{place.parent.name}.{place.name.rsplit('_20', 1)[0]}" for place in files)
    for place, waiting in files.items():
        waiting.rename(place)
    started = time.perf_counter()
    _wait(lambda: lock.is_held(merchant), "no run began")
    began = time.perf_counter() - started

    def is_released() -> bool:
        now = _files(merchant)
        return all(now[table] >= before[table] + count for table, count in tables.items())

    _wait(is_released, f"the files were not released: {sorted(map(str, files))}")
    return began, time.perf_counter() - started


def _files(merchant: Merchant) -> Counter[str]:
    """The files that the current release counts, by table."""
    manifest: dict[str, Any] = json.loads((merchant.releases / "current" / "manifest.json").read_text(encoding="utf-8"))
    return Counter({table: counts["files"] for table, counts in manifest["sources"].items()})


def _wait(happened: Callable[[], bool], message: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(message)
        time.sleep(0.5)


if __name__ == "__main__":
    main()
