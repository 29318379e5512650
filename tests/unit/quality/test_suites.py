"""Reading suites: where they stand, which are wanted, and what is wrong with them."""

from pathlib import Path

import pytest

from zhongtai.errors import UsageError
from zhongtai.quality.suites import load_suites
from zhongtai.quality.validate import check_suites
from zhongtai.settings import PROJECT_ROOT

GOOD = """
expectations:
  - name: rows_are_there
    description: The table has rows.
    severity: critical
    type: expect_table_row_count_to_be_between
    kwargs: {min_value: 1}
"""


def write(folder: Path, place: str, text: str = GOOD) -> Path:
    file = folder / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in ("marts/mart_kpi_daily.yml", "unified/fct_orders.yml", "raw/shop/orders.yml", "raw/erp/skus.yml"):
        write(tmp_path, place)
    return tmp_path


def test_the_place_says_layer_schema_and_table(folder: Path) -> None:
    suites = load_suites(folder)
    assert [(each.layer, each.schema_name, each.table) for each in suites] == [
        ("raw", "raw_erp", "skus"),
        ("raw", "raw_shop", "orders"),
        ("unified", "unified", "fct_orders"),
        ("marts", "marts", "mart_kpi_daily"),
    ]
    assert suites[1].file == folder / "raw/shop/orders.yml"
    assert suites[1].name == "raw_shop.orders"
    assert suites[1].expectations[0].kwargs == {"min_value": 1}


def test_silos_that_are_not_connected_are_left_out(folder: Path) -> None:
    assert [each.name for each in load_suites(folder, {"shop"}) if each.layer == "raw"] == ["raw_shop.orders"]
    assert [each.layer for each in load_suites(folder, set())] == ["unified", "marts"]


def test_no_folder_no_suites(tmp_path: Path) -> None:
    assert load_suites(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expectations: [", "not YAML"),
        ("- just a list", "must hold a list `expectations`"),
        ("expectations: []", "must hold a list `expectations`"),
        (GOOD + "other: 1\n", "and nothing else"),
        (GOOD.replace("critical", "fatal"), r"expectation 1 \(rows_are_there\): severity"),
        (GOOD.replace("rows_are_there", "Rows are there"), r"expectation 1 \(Rows are there\): name"),
        (GOOD.replace("    severity: critical\n", ""), r"expectation 1 \(rows_are_there\): severity Field required"),
        (GOOD.replace("kwargs: {min_value: 1}", "kwargs: 3"), "kwargs"),
        (GOOD.replace("kwargs:", "arguments:"), "arguments Extra inputs are not permitted"),
        (GOOD + GOOD.replace("expectations:\n", ""), r"expectation 2 \(rows_are_there\): the name is taken"),
        (GOOD + GOOD.replace("expectations:\n", "").replace("rows_are", "again"), "asserts the same as rows_are_there"),
        (
            GOOD.replace("expect_table_row_count_to_be_between", "unexpected_rows"),
            r"must have a query that selects from \{batch\}",
        ),
        ("expectations: [3]", "expectation 1 .not a mapping."),
    ],
)
def test_faults_name_file_and_entry(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, "unified/fct_orders.yml", text)
    with pytest.raises(UsageError, match=rf"fct_orders\.yml: .*{words}"):
        load_suites(tmp_path)


@pytest.mark.parametrize("place", ["orders.yml", "raw/orders.yml", "unified/order/fct_orders.yml", "staging/x.yml"])
def test_a_suite_elsewhere_is_an_error(tmp_path: Path, place: str) -> None:
    with pytest.raises(UsageError, match="a suite stands in"):
        load_suites(write(tmp_path, place))


def test_all_shipped_suites_are_valid() -> None:
    suites = load_suites(PROJECT_ROOT / "expectations")
    assert {each.layer for each in suites} == {"raw", "unified", "marts"}
    check_suites(suites)


def test_the_rule_on_plausible_prices_blocks() -> None:
    suites = {each.name: each for each in load_suites(PROJECT_ROOT / "expectations", {"complete_journey"})}
    rules = {each.name: each for each in suites["raw_complete_journey.transactions"].expectations}
    assert rules["line_price_is_plausible"].severity == "critical"
    assert rules["units_are_countable"].severity == "warning"
