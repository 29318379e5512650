"""Links of masked phones against the simulator's truth, and what a million persons cost.

    python -m benchmarks.masked_links [--scale s] [--seed 1 --seed 2 --seed 3]

For each seed a company is simulated and run with links_masked_phones; precision is of the links at least as probable as
the policy asks, recall of the buyers whose person showed a whole phone elsewhere. Needs splink (the extra `linking`).
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
from tests.simulated.masked_score import links_of, score
from zhongtai.analytics import masked_phones
from zhongtai.settings import PROJECT_ROOT

_PREFIXES = 33  # of China's mobile numbers that most people have


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="s", help="xs, s or m")
    parser.add_argument("--seed", action="append", type=int)
    parser.add_argument("--persons", type=int, default=1_000_000)
    given = parser.parse_args()
    print("| scale | seed | masked buyers | linkable | pairs | links | precision | recall |\n" + "|---" * 8 + "|")
    for seed in given.seed or [1, 2, 3]:
        with tempfile.TemporaryDirectory() as folder:
            company = linked_company(Path(folder), given.scale, seed)
            found = score(company.home, links_of(company.home))
        print(
            f"| {given.scale} | {seed} | {found.buyers:,} | {found.linkable:,} | {found.pairs:,} | {found.found:,} "
            f"| {found.precision:.4f} | {found.recall:.4f} |",
            flush=True,
        )
    records, purchases = made(given.persons, given.persons // 4)
    started = time.perf_counter()
    pairs = masked_phones.link(records, purchases).num_rows
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{given.persons:,} persons, {given.persons // 4:,} masked buyers: ", end="")
    print(f"{pairs:,} pairs, {seconds:.1f} s, {memory:.1f} GiB in all")


def linked_company(folder: Path, scale: str, seed: int) -> Qinghe:
    """The company, simulated and run with the links on."""
    company = Qinghe(folder)
    company.merchants.mkdir(parents=True)
    text = (PROJECT_ROOT / "merchants" / f"{company.name}.yml").read_text(encoding="utf-8")
    (company.merchants / f"{company.name}.yml").write_text(text + "links_masked_phones: true\n", encoding="utf-8")
    for command in (("simulate", "--scale", scale, "--seed", str(seed)), ("run",)):
        done = company.zhongtai(*command)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
    return company


def made(persons: int, buyers: int) -> tuple[pa.Table, pa.Table]:
    """Persons with whole phones, and buyers of whom four in five are one of them, most at home."""
    rng = np.random.default_rng(1)
    pattern = rng.integers(0, _PREFIXES * 10_000, persons)
    region = rng.integers(0, 300, persons)
    who = rng.integers(0, persons, buyers)
    is_known, is_home = rng.random(buyers) < 0.8, rng.random(buyers) < 0.9
    own_pattern = np.where(is_known, pattern[who], rng.integers(0, _PREFIXES * 10_000, buyers))
    own_region = np.where(is_known & is_home, region[who], rng.integers(0, 300, buyers))
    count = persons + buyers
    regions = pd.Series(np.r_[region, own_region])
    users = pd.Series(np.arange(count)).astype(str).radd("u")
    is_masked = np.arange(count) >= persons
    records = pd.DataFrame(
        {
            "is_masked": is_masked,
            "silo": pd.Series(["marketplace"] * count).mask(~is_masked),
            "source_id": users.mask(~is_masked),
            "user_id": users,
            "phone_pattern": pd.Series(np.r_[pattern, own_pattern]).astype(str).radd("phone_partial:"),
            "phone": users.mask(is_masked),
            "region_id": regions.astype(str),
            "province": (regions // 10).astype(str),
        }
    )
    bought = pd.DataFrame({"user_id": np.repeat(users, 4), "sku_id": rng.integers(0, 2_000, 4 * count).astype(str)})
    return pa.Table.from_pandas(records), pa.Table.from_pandas(bought.drop_duplicates())


if __name__ == "__main__":
    main()
