"""The same seed gives the same merchant; another folder's content is left alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from zhongtai.errors import UsageError
from zhongtai.simulator.simulate import simulate, simulated


def digests(home: Path) -> dict[str, tuple[str, int]]:
    """Hash and landing time of every file of the silos; of the truth the hash."""
    found = {}
    for file in sorted(home.rglob("*")):
        if file.is_file():
            name = str(file.relative_to(home))
            landed = file.stat().st_mtime_ns if name.startswith("silos") else 0
            found[name] = (hashlib.sha256(file.read_bytes()).hexdigest(), landed)
    return found


def test_a_seed_gives_the_same_bytes_again_and_another_seed_others(home: Path, tmp_path: Path) -> None:
    again = simulate(tmp_path, "xs", 1)
    assert digests(tmp_path) == digests(home)
    assert simulated(tmp_path) == again
    other = simulate(tmp_path, "xs", 2)
    assert simulated(tmp_path) == other
    names = "silos/storefront/orders_20251111.jsonl.gz", "truth/identities.parquet"
    assert all(digests(tmp_path)[name] != digests(home)[name] for name in names)


def test_a_folder_with_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    with pytest.raises(UsageError, match="landing"):
        simulate(tmp_path, "xs", 1)
    (tmp_path / "landing").rmdir()
    (tmp_path / "silos").mkdir()
    with pytest.raises(UsageError, match="silos"):
        simulate(tmp_path, "xs", 1)
    assert not (tmp_path / "truth").exists()


def test_an_unknown_scale_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="xs, s, m, l"):
        simulate(tmp_path, "xxl", 1)
