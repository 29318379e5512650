"""The dbt project on empty data: its unit tests, a merchant without any silo, and when it is parsed again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from zhongtai import merchant as merchants
from zhongtai import policies, settings
from zhongtai.ingest import contract, personal, raw_views
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings
from zhongtai.sql import duckdb_type
from zhongtai.transform import Transform

# What the platform itself knows has rows whatever the merchant has connected.
FILLED = {"dim_merchants", "dim_policies", "dim_dates", "dim_channels", "dim_regions"}


@pytest.fixture
def installation(tmp_path: Path) -> Settings:
    """This checkout, with data in a temporary home."""
    return replace(settings.load(), home=tmp_path)


def prepare(merchant: Merchant, installation: Settings, as_of_date: date = date(2024, 12, 31)) -> None:
    """Makes the merchant's warehouse: an empty typed table for every contract, and the platform's own tables."""
    merchant.warehouse.mkdir(parents=True)
    context = raw_views.RunContext(
        merchant=merchant.name,
        title=merchant.title,
        time_zone=merchant.time_zone,
        currency=merchant.currency,
        locale=merchant.locale,
        as_of=datetime.combine(as_of_date, time(12), UTC),
        as_of_date=as_of_date,
        known_at=1,
    )
    with duckdb.connect(str(merchant.database)) as connection:
        for table in contract.load_contracts(installation.sources):
            if table.silo not in merchant.silos:
                continue
            shown = [*personal.raw_columns(table), (raw_views.FIRST_POSITION, "integer")]
            columns = ", ".join(f'"{name}" {kind}' for name, kind in shown)
            connection.execute(f"create schema if not exists raw_{table.silo}")
            connection.execute(f"create table raw_{table.silo}.{table.table} ({columns})")
        raw_views._write_own_tables(connection, merchant, context, policies.load(merchant, installation), [])


def columns_of(database: Path, schema: str) -> dict[str, dict[str, str]]:
    """Columns and their types in DuckDB's words, by table."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where schema_name = ?", [schema]
        ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = kind
    return tables


def declared_columns(node: dict[str, Any]) -> dict[str, str]:
    """The same of a dbt node's YAML."""
    return {column["name"]: duckdb_type(column["data_type"]).upper() for column in node["columns"].values()}


def test_every_unit_test_of_the_dbt_project_passes(installation: Settings) -> None:
    merchant = merchants.load("qinghe", installation)
    # The unit tests of a silo that is not connected would be left out.
    others = merchants.load("complete_journey").silos | merchants.load("olist").silos
    merchant = merchant.model_copy(update={"silos": merchant.silos | others})
    prepare(merchant, installation)
    transform = Transform(merchant, installation)
    declared = transform.manifest()["unit_tests"]
    build = ["build", "--empty", "--resource-type", "model", "--resource-type", "seed"]
    built = transform._invoke(build, transform._parsed())
    assert [result.message for result in built.results if str(result.status) != "success"] == []

    results = transform._invoke(["test", "--select", "test_type:unit"], transform._parsed()).results

    failed = [f"{result.node.name}: {result.message}" for result in results if str(result.status) != "pass"]
    assert not failed, "\n".join(failed)
    assert len(results) == len(declared) > 0


def test_a_merchant_without_silos_gets_every_table_empty_and_typed(installation: Settings) -> None:
    merchant = Merchant(
        name="nobody",
        title="Nobody",
        time_zone="Asia/Shanghai",
        currency="CNY",
        locale="zh_CN",
        silos={},
        file=installation.home / "nobody.yml",
        home=installation.home / "nobody",
    )
    prepare(merchant, installation)
    transform = Transform(merchant, installation)

    results = transform.build(["path:models", "path:seeds"])

    assert [f"{result.name}: {result.message}" for result in results if not result.is_ok] == []
    nodes = [node for node in transform.manifest()["nodes"].values() if node["resource_type"] == "model"]
    for schema in ("unified", "marts"):
        declared = {node["name"]: declared_columns(node) for node in nodes if node["schema"] == schema}
        assert columns_of(merchant.database, schema) == declared
    rows = {result.name: result.rows for result in results if result.schema_name == "unified"}
    assert {name for name, count in rows.items() if count} == FILLED


def test_a_merchants_dated_policies_reach_the_days_of_promotions(installation: Settings) -> None:
    """As of June 14: 618 has the length of its last day, though it changes before; so will Double 11."""
    overrides = {
        "promotion_618_days": [{"value": 9}, {"value": 3, "effective_from": date(2024, 6, 18)}],
        "promotion_double_11_days": [
            {"value": 5, "effective_from": date(2024, 11, 11)},
            {"value": 7, "effective_from": date(2024, 11, 12)},
        ],
    }
    merchant = merchants.load("qinghe", installation).model_copy(update={"silos": {}, "policies": overrides})
    prepare(merchant, installation, as_of_date=date(2024, 6, 14))

    results = Transform(merchant, installation).build(["+dim_dates"])

    assert [f"{result.name}: {result.message}" for result in results if not result.is_ok] == []
    with duckdb.connect(str(merchant.database), read_only=True) as connection:
        found = connection.execute(
            "select date_day, promotion_window from unified.dim_dates where promotion_window is not null order by all"
        ).fetchall()
        said = connection.execute(
            "select policy_name_zh, position_name, policy_value, effective_from, effective_to, is_current, source "
            "from unified.dim_policies where policy = 'promotion_double_11_days' order by effective_from"
        ).fetchall()
        names = connection.execute(
            "select position, position_name from unified.dim_policies where policy = 'selection_weights' order by all"
        ).fetchall()
    six_eighteen = [(date(2024, 6, 16) + timedelta(days), "618") for days in range(3)]
    double_11 = [(date(2024, 11, 7) + timedelta(days), "double_11") for days in range(5)]
    assert found == six_eighteen + double_11
    chinese = "双 11 大促天数"
    assert said == [
        (chinese, None, 12.0, date(1970, 1, 1), date(2024, 11, 11), True, "default"),
        (chinese, None, 5.0, date(2024, 11, 11), date(2024, 11, 12), False, "merchant"),
        (chinese, None, 7.0, date(2024, 11, 12), None, False, "merchant"),
    ]
    assert names == [(1, "demand"), (2, "margin"), (3, "supply"), (4, "reviews")]


def test_the_platforms_own_raw_tables_are_as_their_sources_declare(installation: Settings) -> None:
    merchant = merchants.load("complete_journey", installation)
    prepare(merchant, installation)
    sources = Transform(merchant, installation).manifest()["sources"].values()
    declared = {node["name"]: declared_columns(node) for node in sources if node["source_name"] == "zhongtai"}
    assert columns_of(merchant.database, raw_views.OWN_SCHEMA) == declared


class CountingTransform(Transform):
    """Counts how often dbt is asked to parse."""

    parsed = 0

    def _invoke(self, arguments: list[str], *others: Any, **options: Any) -> Any:
        self.parsed += arguments[0] == "parse"
        return super()._invoke(arguments, *others, **options)


def test_the_project_is_parsed_again_only_when_it_changed(installation: Settings, tmp_path: Path) -> None:
    project = tmp_path / "checkout"
    models = project / "transform" / "models"
    models.mkdir(parents=True)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(installation.transform / name, project / "transform")
    (models / "one.sql").write_text("select 1 as number", encoding="utf-8")
    merchant = merchants.load("complete_journey", installation)
    elsewhere = replace(installation, project=project)

    def parse(of: Merchant = merchant) -> tuple[int, str]:
        transform = CountingTransform(of, elsewhere)
        code = transform.manifest()["nodes"]["model.zhongtai.one"]["raw_code"]
        return transform.parsed, code

    assert parse() == (1, "select 1 as number")
    assert parse() == (0, "select 1 as number"), "the manifest is kept"
    (models / "one.sql").write_text("select 2 as number", encoding="utf-8")
    assert parse() == (1, "select 2 as number"), "a stale manifest would run old SQL"
    (models / "two.sql").write_text("select 3 as number", encoding="utf-8")
    assert parse()[0] == 1, "a new file is a change"
    assert parse(merchant.model_copy(update={"silos": {}}))[0] == 1, "what is connected decides what is enabled"
    assert parse(merchant.model_copy(update={"silos": {}}))[0] == 0
