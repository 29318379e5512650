"""OneID against the simulator's truth, and how long a million identities take.

    python -m benchmarks.identity [--scale s] [--seed 1 --seed 2 --seed 3]

For each seed a company is simulated and loaded, and dbt builds the persons and what leads to them; precision is of the
pairs of identities that became one person, recall of the pairs of one person that unmasked values connect. Then persons
are made of a million identities, in one process.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from tests.simulated.identity_score import Score, score
from zhongtai import merchant as merchants
from zhongtai import policies
from zhongtai.analytics import identity
from zhongtai.ingest import landing, loader, raw_views
from zhongtai.ingest.contract import load_contracts
from zhongtai.settings import PROJECT_ROOT, Settings
from zhongtai.simulator.simulate import simulate
from zhongtai.transform import Transform


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="s", help="xs, s or m")
    parser.add_argument("--seed", action="append", type=int)
    parser.add_argument("--identities", type=int, default=1_000_000)
    given = parser.parse_args()
    print("| scale | seed | identities | pairs | precision | recall |\n|---|---|---|---|---|---|")
    for seed in given.seed or [1, 2, 3]:
        with tempfile.TemporaryDirectory() as folder:
            found = scored(Path(folder), given.scale, seed)
        print(
            f"| {given.scale} | {seed} | {found.identities:,} | {found.found:,} | {found.precision:.4f} "
            f"| {found.recall:.4f} |",
            flush=True,
        )
    identities, links = made(given.identities)
    started = time.perf_counter()
    persons = identity.resolve_tables(identities, links)
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    count = len(persons["person_rank"].unique())
    print(f"\n{given.identities:,} identities, {len(links):,} values held, {count:,} persons: ", end="")
    print(f"{seconds:.1f} s, {memory:.1f} GiB in all")


def scored(folder: Path, scale: str, seed: int) -> Score:
    """Persons of a new company below a folder, against its truth."""
    (folder / "merchants").mkdir()
    shutil.copy(PROJECT_ROOT / "merchants" / "qinghe.yml", folder / "merchants")
    settings = Settings(PROJECT_ROOT, folder / "data", "qinghe", folder / "merchants")
    merchant = merchants.load("qinghe", settings)
    simulate(merchant.home, scale, seed)
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    landing.land(merchant, contracts)
    loader.load_pending(merchant, contracts)
    with duckdb.connect(str(merchant.database)) as connection:
        raw_views.create_raw_views(connection, merchant, contracts, policies.load(merchant, settings))
    results = Transform(merchant, settings).build(["+bridge_user_identities"], tests="empty")
    failed = [f"{result.name}: {result.message}" for result in results if not result.is_ok]
    assert not failed, failed
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        bridge = connection.execute("select silo, source_id, user_id from unified.bridge_user_identities").df()
    return score(merchant.home, bridge)


def made(count: int) -> tuple[pa.Table, pa.Table]:
    """Identities of about a third as many people, who show phones and unionids to three kinds of silos."""
    rng = np.random.default_rng(1)
    person = rng.integers(0, count // 3, count)
    kind = np.array(["account", "contact", "card", "device"], object)[rng.integers(0, 4, count)]
    born = np.sort(rng.integers(1, 20_000, count))
    shown = {"unionid": (0.5, person), "phone": (0.6, person - person % 70 // 69), "email": (0.3, person)}
    links = []
    for evidence, (share, value) in shown.items():
        rank = np.flatnonzero(rng.random(count) < share)
        tokens = pd.Series(value[rank]).astype(str).radd(f"{evidence}:")
        links.append(
            pd.DataFrame(
                {
                    "identity_rank": rank,
                    "evidence": evidence,
                    "evidence_token": tokens,
                    "landed_position": born[rank] + rng.integers(0, 400, len(rank)) * (rng.random(len(rank)) < 0.1),
                }
            )
        )
    identities = pd.DataFrame({"identity_rank": range(count), "identity_kind": kind, "landed_position": born})
    return pa.Table.from_pandas(identities), pa.Table.from_pandas(pd.concat(links, ignore_index=True))


if __name__ == "__main__":
    main()
