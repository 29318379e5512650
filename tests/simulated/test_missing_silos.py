"""A company may lack any silo, or all but one: it still runs, publishes, and says what is not connected."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.qinghe import Qinghe
from zhongtai.merchant import SILOS

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
    states = company.manifest["silos"]
    assert {silo for silo, state in states.items() if state == "connected"} == set(connected)
    assert {name.split(".")[0] for name in company.manifest["sources"]} <= set(connected)
    assert "not connected" in company.zhongtai("status").stdout
    assert _shape(company) == _shape(qinghe)
    for table in ("unified.fct_orders", "unified.fct_order_lines"):
        silos = [row[0] for row in company.query(f"select distinct silo from {table} order by silo")]
        everything = [row[0] for row in qinghe.query(f"select distinct silo from {table} order by silo")]
        assert silos == [silo for silo in everything if silo in connected]


def _shape(company: Qinghe) -> list[tuple[str, str, str, str]]:
    """Every column of the release with its type."""
    file = company.home / "releases" / "current" / "zhongtai.duckdb"
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where schema_name in ('unified', 'marts') order by all"
        ).fetchall()
