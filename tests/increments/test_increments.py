"""Whatever arrives in whatever order: what a run builds of it is what it would build from the ground."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.increments.arrivals import Company
from tests.sharing import made_once
from zhongtai.changes import build as changes
from zhongtai.changes.narrowing import RawViews
from zhongtai.changes.state import Built
from zhongtai.simulator.simulate import simulate

# Five now, and fifty others under `make soak`.
SEQUENCES = [*range(5), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(5, 55))]
COMPANIES = (
    (["storefront", "erp", "crm", "stores"], "Asia/Shanghai"),
    (["storefront", "erp", "marketplace", "logistics", "market"], "America/Los_Angeles"),
    (["storefront", "crm", "live", "marketplace", "stores", "erp", "logistics"], "Asia/Shanghai"),
)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The silos of a simulated company."""
    folder, _ = made_once(tmp_path_factory, "arrivals", lambda folder: str(simulate(folder / "home", "xs", 5).seed))
    return folder / "home" / "silos"


@pytest.fixture
def company(
    request: pytest.FixtureRequest, source: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Company:
    """A company after its first weeks, whose further random choices follow from the parameter."""
    seed = request.param
    # Companies with the same first weeks share them: to parse and build a project takes longer than to change it.
    number = seed % (2 if seed < 5 else 12)

    def first_weeks(folder: Path) -> Company:
        silos, time_zone = COMPANIES[number % len(COMPANIES)]
        found = Company(folder, source, random.Random(number), silos, time_zone)
        found.pass_days(found.rng.randint(20, 35))
        return found

    def built(folder: Path) -> str:
        first_weeks(folder).build()
        return str(number)

    shared, _ = made_once(tmp_path_factory, f"weeks{number}", built)
    found = first_weeks(tmp_path)
    shutil.copytree(shared / "data", tmp_path / "data")
    found.rng = random.Random(seed)
    return found


@pytest.mark.parametrize("company", SEQUENCES, indirect=True)
def test_what_changed_gives_the_same_as_everything(company: Company) -> None:
    rng = company.rng
    told = [f"{company.silos}, from {company.day}"]
    happenings = [company.repeat_a_file, company.correct_a_file, company.decide_otherwise, None, None]
    as_of = known_at = None
    for _ in range(rng.randint(1, 3)):
        company.pass_days(rng.randint(1, 4))
        happening = rng.choice(happenings)
        if happening:
            happening()
        as_of = company.travel() if rng.random() < 0.2 else None
        known_at = company.recall() if rng.random() < 0.15 else None
        company.build(as_of=as_of, known_at=known_at)
        what = happening.__name__ if happening else "nothing else"
        told.append(f"to {company.day}, {what}, as of {as_of}, known at {known_at}")
    _assert_as_from_the_ground(company, told, as_of, known_at)


@pytest.mark.silos
@pytest.mark.parametrize("company", [0], indirect=True)
def test_a_killed_build_leaves_nothing_narrowed(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while raw views show only what changed; then built by somebody who does not make them anew."""
    company.pass_days(2)
    narrow = RawViews.narrow

    def killed(views: RawViews) -> None:
        narrow(views)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RawViews, "narrow", killed)
        patched.setattr(changes._Run, "widen", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            company.build()
    company.transform()
    _assert_as_from_the_ground(company, [])


@pytest.mark.silos
@pytest.mark.parametrize("company", [0], indirect=True)
def test_lines_move_to_another_person_though_their_orders_are_built_whole(company: Company) -> None:
    """The text of fct_orders, which tells of whom orders are, changes on the day on which persons do."""
    file = company.merchant.warehouse / "built.json"
    built = Built.model_validate_json(file.read_text(encoding="utf-8"))
    built.models["fct_orders"] = "another text"
    file.write_text(built.model_dump_json(), encoding="utf-8")
    company.policies = {"identity_holders_limit": 2}
    company.pass_days(1)
    company.build()
    with duckdb.connect(str(company.merchant.database), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from changes.changed_persons").fetchone() == (True,)
    _assert_as_from_the_ground(company, [])


@pytest.mark.silos
@pytest.mark.parametrize("company", [0], indirect=True)
def test_a_list_price_that_is_told_late_reaches_the_days_since(company: Company) -> None:
    """Nothing else of the SKU changes, so only its version leads to its days."""
    since = company.day - timedelta(days=5)
    files = "', '".join(str(file) for file in sorted((company.folder / "silos" / "erp").glob("skus_*.parquet")))
    late = company.folder / "silos" / "erp" / "skus_late.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (77.77 as list_amount, timestamp '{since} 04:00:00' as updated_at) "
            f"from read_parquet(['{files}']) where updated_at < date '{since}' "
            f"qualify row_number() over (order by sku_id, updated_at desc) = 1) to '{late}' (format parquet)"
        )
    company.build()
    with duckdb.connect(str(company.merchant.database), read_only=True) as connection:
        query = "select min(activity_date), count(*) > 1 from unified.fct_product_daily where list_price_amount = 77.77"
        assert connection.execute(query).fetchone() == (since, True)
    _assert_as_from_the_ground(company, [])


@pytest.mark.silos
@pytest.mark.parametrize("company", [0], indirect=True)
def test_a_day_that_brings_little_rebuilds_little(company: Company) -> None:
    company.late_share = 0
    company.pass_days(10)
    company.build()
    company.pass_days(1)
    company.build()
    with duckdb.connect(str(company.merchant.database), read_only=True) as connection:
        for table in ("fct_orders", "fct_order_lines", "fct_user_events", "fct_user_sessions", "fct_product_daily"):
            fresh = f"select count(*) from changes.{table} where is_new"
            query = f"select ({fresh}), (select count(*) from unified.{table})"
            rebuilt, known = connection.execute(query).fetchone() or (0, 0)
            assert 0 < rebuilt < 0.25 * known, table
        # Old rows are read where a model asks what became of them, and nowhere else.
        for table, is_followed in (("fct_orders", True), ("fct_payments", False)):
            query = f"select (from changes.found_{table} select count(*)), count_if(not is_new) from changes.{table}"
            found, kept = connection.execute(query).fetchone() or (0, 0)
            assert found > 0, table
            assert kept == (found if is_followed else 0), table


@pytest.mark.silos
@pytest.mark.parametrize("company", [0], indirect=True)
def test_days_that_are_built_again_are_whole_again(company: Company) -> None:
    """Also the sums of days, of which persons are made."""
    company.build()
    last = company.day
    tables = {"intermediate.int_storefront__devices_seen": "seen_date", "unified.fct_user_events": "event_date"}
    before = _contents(company, tables)
    with duckdb.connect(str(company.merchant.database)) as connection:
        for table, column in tables.items():
            query = f"delete from {table} where {column} between date '{last - timedelta(days=6)}' and date '{last}'"
            assert (connection.execute(query).fetchone() or (0,))[0] > 0, table
    assert all(now != then for now, then in zip(_contents(company, tables), before, strict=True))
    company.transform(again=(last - timedelta(days=6), last))
    assert _contents(company, tables) == before
    _assert_as_from_the_ground(company, [])


def _contents(company: Company, tables: Iterable[str]) -> list[tuple[int, ...]]:
    with duckdb.connect(str(company.merchant.database), read_only=True) as connection:
        hashed = [f"select count(*), sum(hash(rows)::hugeint) from {table} as rows" for table in tables]
        return [connection.execute(query).fetchone() or () for query in hashed]


def _assert_as_from_the_ground(
    company: Company, told: list[str], as_of: datetime | None = None, known_at: int | None = None
) -> None:
    """Every unified table and mart is, row for row, what it would be if all had been built from the ground."""
    found = company.hashes()
    company.build(is_full=True, as_of=as_of, known_at=known_at)
    expected = company.hashes()
    assert found.keys() == expected.keys()
    assert [table for table in expected if found[table] != expected[table]] == [], told
