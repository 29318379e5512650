"""Results between the steps of a run."""

from pathlib import Path

from zhongtai.quality.results import CheckResult
from zhongtai.quality.store import load, save


def result(name: str) -> CheckResult:
    return CheckResult(
        name=name,
        schema_name="unified",
        table="fct_orders",
        kind="expectation",
        severity="critical",
        status="failed",
        observed={"unexpected_count": 1},
        samples=[{"note": "数据中台", "amount": "1.10", "parts": [1, None]}],
        message="1 of 2 rows",
        seconds=0.25,
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    save(folder, "unified", "run-1", [result("b")])
    save(folder, "raw_shop", "run-1", [result("a"), result("c")])
    assert load(folder, "run-1") == [result("a"), result("c"), result("b")]
    assert sorted(file.name for file in folder.iterdir()) == ["raw_shop.json", "unified.json"]


def test_other_runs_are_left_out(tmp_path: Path) -> None:
    save(tmp_path, "raw_shop", "run-1", [result("old")])
    save(tmp_path, "unified", "run-1", [result("old")])
    save(tmp_path, "unified", "run-2", [])
    assert [each.name for each in load(tmp_path, "run-1")] == ["old"]
    assert load(tmp_path, "run-2") == []


def test_no_folder_no_results(tmp_path: Path) -> None:
    assert load(tmp_path / "none", "run-1") == []
