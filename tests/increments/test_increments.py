"""Whatever arrives in whatever order: what a run builds of it is what it would build from the ground."""

from __future__ import annotations

import os
import random
from pathlib import Path

import duckdb
import pytest

from tests.increments.arrivals import Company
from tests.sharing import made_once
from zhongtai.simulator.simulate import simulate

# `make soak` asks for many.
SEQUENCES = int(os.environ.get("ZHONGTAI_TEST_SEQUENCES", "5"))
STEPS = 3


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The silos of a simulated company."""
    folder, _ = made_once(tmp_path_factory, "arrivals", lambda folder: str(simulate(folder / "home", "xs", 5).seed))
    return folder / "home" / "silos"


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_what_changed_gives_the_same_as_everything(seed: int, source: Path, tmp_path: Path) -> None:
    rng = random.Random(seed)
    company = Company(tmp_path, source, rng)
    company.pass_days(0)
    company.build()
    told = [f"{company.silos}, from {company.day}"]
    happenings = [company.repeat_a_file, company.correct_a_file, company.decide_otherwise, None, None]
    as_of = None
    for _ in range(STEPS):
        company.pass_days(rng.randint(1, 4))
        happening = rng.choice(happenings)
        if happening:
            happening()
        as_of = company.travel() if rng.random() < 0.2 else None
        found = company.build(as_of=as_of)
        told.append(f"to {company.day}, {happening.__name__ if happening else 'nothing else'}, as of {as_of}")
    expected = company.build(is_full=True, as_of=as_of)
    assert found.keys() == expected.keys()
    assert [table for table in expected if found[table] != expected[table]] == [], told


def test_a_day_that_brings_little_rebuilds_little(source: Path, tmp_path: Path) -> None:
    company = Company(tmp_path, source, random.Random(1))
    company.silos = ["storefront", "erp", "crm"]
    company.late_share = 0
    company.pass_days(0)
    company.build()
    company.pass_days(1)
    company.build()
    with duckdb.connect(str(company.merchant.database), read_only=True) as connection:
        for table in ("fct_orders", "fct_order_lines", "fct_user_events", "fct_user_sessions", "fct_product_daily"):
            query = (
                f"select (select count(*) from changes.{table} where is_new), (select count(*) from unified.{table})"
            )
            rebuilt, known = connection.execute(query).fetchone() or (0, 0)
            assert 0 < rebuilt < 0.25 * known, table
