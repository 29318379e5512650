"""OneID against the simulator's truth, and how long a million identities take.

    python -m benchmarks.identity [--scale s] [--seed 1 --seed 2 --seed 3]

For each seed a company is simulated and run; precision is of the pairs of identities that became one person, recall of
the pairs of one person that unmasked values connect. Then persons are made of a million identities, in one process.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tests.qinghe import Qinghe
from tests.simulated.identity_score import bridge_of, score
from zhongtai.analytics import identity


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
            company = Qinghe(Path(folder))
            company.make(given.scale, seed)
            found = score(company.home, bridge_of(company.home))
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
