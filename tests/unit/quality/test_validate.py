"""Suites on a small DuckDB file: what passes, fails and cannot run, and which rows are shown."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.progress import LOGGER
from zhongtai.quality.results import CheckResult
from zhongtai.quality.suites import ExpectationSpec, Layer, Suite
from zhongtai.quality.validate import check_suites, validate

Find = Callable[[str], CheckResult]

HOSTILE = "<script>alert('x')</script>"

WAREHOUSE = f"""
create schema raw_shop;
create schema unified;
create schema marts;
create table raw_shop.orders as
select
    i as order_id,
    cast(case when i = 7 then 99999 when i = 8 then -1 else i end as decimal(18, 2)) as amount,
    case when i = 7 then $${HOSTILE}$$ else 'note ' || i end as note,
    timestamp '2024-05-01 10:00:00' + to_hours(i) as placed_at,
    case when i = 7 then 'nan'::double else 0.5 end as weight,
    [i, i + 1] as parts,
    case when i % 2 = 0 then 'even' end as parity
from range(1000) as numbers (i);
-- Same name, other columns, other schema: what one says must not be taken for the other.
create table unified.orders as select i as total, 'x' as placed_at from range(5) as numbers (i);
create table main.orders as select 1 as nothing_in_common;
create view raw_shop.orders_view as select * from raw_shop.orders;
create table marts.empty_orders as select * from raw_shop.orders where false;
"""


def expectation(name: str, type_: str, severity: str = "critical", **kwargs: object) -> ExpectationSpec:
    """One entry of a suite."""
    entry = {"name": name, "description": f"About {name}.", "severity": severity, "type": type_, "kwargs": kwargs}
    return ExpectationSpec.model_validate(entry)


def suite(schema_name: str, table: str, *expectations: ExpectationSpec) -> Suite:
    """A suite that was not read from a file."""
    layer: Layer = "raw" if schema_name.startswith("raw_") else "unified"
    return Suite(layer, schema_name, table, Path("suite.yml"), expectations)


BETWEEN = "expect_column_values_to_be_between"
MEAN = "expect_column_mean_to_be_between"
SUITES = [
    suite(
        "raw_shop",
        "orders",
        expectation("amount_is_plausible", BETWEEN, column="amount", min_value=0, max_value=5000),
        expectation("most_amounts_are_small", BETWEEN, column="amount", max_value=5000, mostly=0.9),
        expectation("few_are_small", BETWEEN, "warning", column="amount", max_value=1, mostly=0.5),
        expectation("mean_is_high", MEAN, "warning", column="amount", min_value=10000),
        expectation("rows_are_there", "expect_table_row_count_to_be_between", min_value=1000),
        expectation("no_column", MEAN, "warning", column="nope", min_value=0),
        expectation("bad_sql", "unexpected_rows", query="select nope from {batch}"),
        expectation("bad_cast", "unexpected_rows", query="select cast(note as integer) as n from {batch}"),
        expectation(
            "no_late_orders",
            "unexpected_rows",
            query="select o.* from {batch} as o inner join unified.orders as u on o.order_id = u.total "
            "where regexp_matches(o.note, 'note [0-9]{1,4}$') and o.order_id > 2;",
        ),
        expectation(
            "id_covers_amount",
            "expect_column_pair_values_a_to_be_greater_than_b",
            column_A="order_id",
            column_B="amount",
            or_equal=True,
        ),
        expectation(
            "quantiles",
            "expect_column_quantile_values_to_be_between",
            column="order_id",
            quantile_ranges={"quantiles": [0.5], "value_ranges": [[0, 1]]},
        ),
    ),
    suite("raw_shop", "orders_view", expectation("view_is_read", BETWEEN, column="order_id", min_value=0)),
    suite("unified", "orders", expectation("total_is_small", BETWEEN, column="total", max_value=3)),
    suite("unified", "gone", expectation("anything", BETWEEN, column="total", max_value=3)),
    suite(
        "marts",
        "empty_orders",
        expectation("mean_of_nothing", MEAN, column="amount", min_value=1),
        expectation("values_of_nothing", BETWEEN, column="amount", min_value=1),
        expectation(
            "quantiles_of_nothing",
            "expect_column_quantile_values_to_be_between",
            column="amount",
            quantile_ranges={"quantiles": [0.5], "value_ranges": [[1, 2]]},
        ),
        expectation("rows_of_nothing", "expect_table_row_count_to_be_between", "warning", min_value=1),
    ),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file in a folder whose name would trip over a URL."""
    database = tmp_path_factory.mktemp("ware house%20") / "w#1$x.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(WAREHOUSE)
    return database


@pytest.fixture(scope="module")
def results(warehouse: Path) -> list[CheckResult]:
    """What SUITES say about the warehouse."""
    return validate(warehouse, SUITES)


@pytest.fixture(scope="module")
def find(results: list[CheckResult]) -> Find:
    """One result by its name."""
    return lambda name: next(result for result in results if result.name == name)


def test_a_result_for_each_expectation_in_their_order(results: list[CheckResult]) -> None:
    asked = [(each.schema_name, each.table, spec.name) for each in SUITES for spec in each.expectations]
    assert [(result.schema_name, result.table, result.name) for result in results] == asked
    assert {result.kind for result in results} == {"expectation"}


def test_samples_are_the_whole_offending_rows(find: Find) -> None:
    result = find("amount_is_plausible")
    assert (result.status, result.blocks) == ("failed", True)
    assert result.message == "2 of 1,000 rows: amount = 99999.00 is outside 0 … 5,000"
    assert {row["order_id"] for row in result.samples} == {7, 8}
    assert result.samples[0] == {
        "order_id": 7,
        "amount": "99999.00",
        "note": HOSTILE,
        "placed_at": "2024-05-01T17:00:00",
        "weight": "nan",
        "parts": [7, 8],
        "parity": None,
    }
    assert result.observed["unexpected_count"] == 2


def test_tolerated_rows_pass(find: Find) -> None:
    assert find("most_amounts_are_small").status == "passed"
    assert find("most_amounts_are_small").samples == []


def test_a_warning_fails_without_blocking_and_shows_ten_rows(find: Find) -> None:
    result = find("few_are_small")
    assert (result.status, result.blocks) == ("failed", False)
    assert len(result.samples) == 10
    assert result.message.endswith("is more than 1; 0.5 of the rows must comply")


def test_an_aggregate_says_what_it_found(find: Find) -> None:
    assert find("mean_is_high").message == "mean of amount is 599.483, less than 10,000"
    assert find("rows_are_there").status == "passed"


def test_a_query_may_alias_join_and_hold_braces(find: Find) -> None:
    result = find("no_late_orders")
    assert result.status == "failed"
    assert {row["order_id"] for row in result.samples} == {3, 4}
    assert result.observed == {"observed_value": 2}
    assert result.message.startswith("2 rows, for example order_id = ")


def test_pairs_show_both_columns(find: Find) -> None:
    assert "order_id = 7, amount = 99999.00" in find("id_covers_amount").message


@pytest.mark.parametrize(
    ("name", "words"),
    [("no_column", '"nope"'), ("bad_sql", 'column "nope" not found'), ("bad_cast", "Could not convert")],
)
def test_what_raised_is_errored_not_failed(find: Find, name: str, words: str) -> None:
    result = find(name)
    assert result.status == "errored"
    assert words in result.message
    assert "\n" not in result.message


def test_an_errored_warning_does_not_block(find: Find) -> None:
    assert not find("no_column").blocks
    assert find("bad_sql").blocks


def test_an_error_leaves_the_expectations_after_it_alone(find: Find) -> None:
    assert find("quantiles").status == "failed"
    assert find("view_is_read").status == "passed"


def test_tables_of_one_name_are_told_apart(find: Find) -> None:
    result = find("total_is_small")
    assert result.message == "1 of 5 rows: total = 4 is more than 3"
    assert result.samples == [{"total": 4, "placed_at": "x"}]


def test_a_missing_table_is_errored(find: Find) -> None:
    result = find("anything")
    assert result.status == "errored"
    assert result.message.startswith("unified.gone cannot be read: Catalog Error: Table with name gone does not exist")


def test_values_of_an_empty_table_pass_but_not_its_volume(find: Find) -> None:
    assert {find(name).status for name in ("mean_of_nothing", "values_of_nothing", "quantiles_of_nothing")} == {
        "passed"
    }
    assert find("rows_of_nothing").message == "row count is 0, less than 1"


def test_results_are_json(results: list[CheckResult]) -> None:
    for result in results:
        assert CheckResult.model_validate_json(result.model_dump_json()) == result
        assert json.dumps([result.observed, result.samples], allow_nan=False)


def test_progress_and_nothing_else_is_logged(
    warehouse: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        validate(warehouse, [SUITES[0], SUITES[2]])
    assert {record.name for record in caplog.records} == {LOGGER.name}
    notes = [record.__dict__["progress"] for record in caplog.records]
    assert [(each.stage, each.item) for each in notes] == [
        ("quality", "raw_shop.orders"),
        ("quality", "unified.orders"),
    ]
    assert notes[0].note == "2 passed, 2 warned, 4 failed, 3 errored"
    assert capfd.readouterr().err == ""


def test_the_file_is_free_afterwards(warehouse: Path) -> None:
    validate(warehouse, SUITES[2:3])
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create or replace table main.written as select 1 as one")


def test_a_file_open_for_writing_can_be_checked_by_its_own_process(tmp_path: Path) -> None:
    database = tmp_path / "open.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema unified; create table unified.orders as select 7 as total")
        assert validate(database, SUITES[2:3], read_only=False)[0].message == "1 of 1 row: total = 7 is more than 3"
        with pytest.raises(ZhongtaiError, match="cannot be opened: Connection Error: Can't open"):
            validate(database, SUITES[2:3])


def test_a_missing_database_is_an_error(tmp_path: Path) -> None:
    assert validate(tmp_path / "none.duckdb", []) == []
    with pytest.raises(ZhongtaiError, match="no such database"):
        validate(tmp_path / "none.duckdb", SUITES)


def test_unknown_types_and_arguments_name_file_and_entry() -> None:
    check_suites(SUITES)
    with pytest.raises(UsageError, match=r"suite\.yml: odd: unknown type expect_the_best"):
        check_suites([suite("unified", "orders", expectation("odd", "expect_the_best"))])
    with pytest.raises(UsageError, match=r"suite\.yml: odd: maximum: extra fields not permitted"):
        check_suites([suite("unified", "orders", expectation("odd", BETWEEN, column="total", min_value=0, maximum=3))])
    with pytest.raises(UsageError, match=r"suite\.yml: odd: column: field required"):
        check_suites([suite("unified", "orders", expectation("odd", BETWEEN, min_value=0))])


def test_importing_costs_no_great_expectations() -> None:
    modules = "validate, suites, store, report"
    code = f"import sys; from zhongtai.quality import {modules}; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
