"""What a whole run costs beside its bare SQL, and what a run with nothing to do costs.

In one go, on Complete Journey in an empty data folder: the first whole run; the same again with nothing new; then
stock `dbt build` of the same models on the same warehouse, and once more. Prints a Markdown table with ratios.

Run it: make bench
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MERCHANT = "complete_journey"


def timed(command: list[str], environment: dict[str, str]) -> float:
    """Wall seconds of a command that must succeed."""
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - started


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as home:
        warehouse = Path(home) / MERCHANT / "warehouse"
        environment = {**os.environ, "ZHONGTAI_HOME": home, "ZHONGTAI_DATABASE": str(warehouse / "zhongtai.duckdb")}
        run = [sys.executable, "-m", "orchestration.cli", "run", "--merchant", MERCHANT]
        variables = json.dumps({"silos": [MERCHANT], "time_zone": "America/New_York"})
        project = ["--project-dir", "transform", "--profiles-dir", "transform", "--vars", variables]
        target = ["--target-path", f"{home}/dbt", "--log-path", f"{home}/dbt"]
        exclude = ["--exclude-resource-type", "unit_test"]
        dbt = [str(Path(sys.executable).parent / "dbt"), "build", "--quiet", *project, *target, *exclude]
        first = timed(run, environment)
        nothing = timed(run, environment)
        timed(dbt, environment)  # parses the project, which the run above did too
        bare = timed(dbt, environment)
    print("| what | seconds | of dbt build |\n|---|---|---|")
    for name, seconds in (
        ("whole run: ingest, dbt, checks, release", first),
        ("stock dbt build of the same models", bare),
        ("run with nothing new", nothing),
    ):
        print(f"| {name} | {seconds:.1f} | {seconds / bare:.2f} |")


if __name__ == "__main__":
    main()
