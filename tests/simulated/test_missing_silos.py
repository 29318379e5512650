"""A company may lack any silo, or all but one: it still runs, publishes, and says what is not connected."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.qinghe import Qinghe
from tests.simulated.contracts import SILOS
from tests.simulated.unified.calendar import first_date

CASES = {f"without_{silo}": [other for other in SILOS if other != silo] for silo in SILOS} | {
    f"only_{silo}": [silo] for silo in SILOS
}


@pytest.mark.silos
@pytest.mark.parametrize("case", CASES)
def test_a_company_without_some_silos_publishes(qinghe: Qinghe, tmp_path: Path, case: str) -> None:
    connected = CASES[case]
    company = qinghe.only(tmp_path / "company", connected)
    run = company.zhongtai("run")
    assert run.returncode == 0, run.stdout + run.stderr
    missing = set(SILOS) - set(connected)
    assert _told_missing(run.stdout) == missing
    assert _told_missing(company.zhongtai("releases", "show").stdout) == missing
    assert _states(company.zhongtai("status").stdout) == company.manifest["silos"]
    assert company.manifest["silos"] == {
        **dict.fromkeys(connected, "connected"),
        **dict.fromkeys(missing, "not connected"),
    }
    assert {name.split(".")[0] for name in company.manifest["sources"]} <= set(connected)
    assert _shape(company) == _shape(qinghe)
    assert _rows(company) == {place: rows for place, rows in _rows(qinghe).items() if place[1] in connected}
    first = first_date(qinghe.home / "silos", connected).date()
    assert company.query("select min(date_day) from unified.dim_dates") == [(first,)]
    # What is counted by day is counted from that day on.
    if case in ("only_erp", "only_storefront"):
        assert company.query("select min(kpi_date) from marts.mart_kpi_daily") == [(first,)]


@pytest.mark.silos
def test_a_whole_company_lacks_nothing(qinghe: Qinghe) -> None:
    assert set(qinghe.manifest["silos"].values()) == {"connected"}
    assert "not connected" not in qinghe.zhongtai("status").stdout + qinghe.zhongtai("releases", "show").stdout


def _told_missing(printed: str) -> set[str]:
    """The silos that a command says are not connected; a silo named twice would be a fault of the list."""
    (line,) = re.findall(r"^ *not connected: (.+)$", printed, re.MULTILINE)
    names = line.split(", ")
    assert len(names) == len(set(names))
    return set(names)


def _states(printed: str) -> dict[str, str]:
    """What `zhongtai status` says of each silo."""
    return dict(re.findall(r"^  (\w+) +((?:not )?connected)$", printed, re.MULTILINE))


def _rows(company: Qinghe) -> dict[tuple[str, str], int]:
    """Rows of every unified table that names silos, by table and silo: what one silo tells needs no other."""
    tables = company.query(
        "select table_name from information_schema.columns where table_schema = 'unified' and column_name = 'silo'"
    )
    counts = " union all ".join(
        f"select '{name}' as name, silo, count(*) from unified.{name} group by silo" for (name,) in sorted(tables)
    )
    return {(name, silo): rows for name, silo, rows in company.query(counts)}


def _shape(company: Qinghe) -> list[tuple[str, str, str, str]]:
    """Every column of the release with its type."""
    file = company.home / "releases" / "current" / "zhongtai.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where schema_name in ('unified', 'marts') order by all"
        ).fetchall()
