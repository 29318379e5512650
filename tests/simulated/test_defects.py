"""Every planted defect is found, nothing else is rejected, and the counts of every file add up."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from tests.qinghe import Qinghe
from tests.simulated import expected

pytestmark = pytest.mark.silos

ROW_KINDS = ("type", "null", "allowed", "structure", "key_conflict")
# What the reason says, as a regular expression.
FILE_KINDS = {
    "empty_file": "empty",
    "missing_column": "missing",
    "truncated_file": "not readable|cut short|broken",
    "wrong_encoding": "not readable as",
}
OTHER_KINDS = ("resent_file", "late_file", "resent_row", "corrected_row", "superseded")
Name = tuple[str, str, str]  # silo, table, file


@pytest.fixture(scope="module")
def defects(qinghe: Qinghe) -> pd.DataFrame:
    """What was planted."""
    return pd.read_parquet(qinghe.home / "truth" / "defects.parquet")


@pytest.fixture(scope="module")
def ledger(qinghe: Qinghe) -> dict[Name, dict[str, Any]]:
    """What ingest says of each file; the last line of a position and table holds."""
    text = (qinghe.home / "raw" / "ledger.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    last = {(line["position"], line["table"]): line for line in lines}
    return {(line["silo"], line["table"], line["file"]): line for line in last.values()}


@pytest.fixture(scope="module")
def quarantine(qinghe: Qinghe) -> pd.DataFrame:
    """Every rejected row."""
    files = qinghe.home / "quarantine" / "*" / "*" / "*.parquet"
    columns = 'silo, table_name as "table", file, row_number as line, reason, column_name'
    with duckdb.connect() as connection:
        return connection.execute(f"select {columns} from read_parquet('{files}')").df()


def of(defects: pd.DataFrame, *kinds: str) -> pd.DataFrame:
    return defects[defects["kind"].isin(kinds)]


def names(rows: pd.DataFrame) -> list[Name]:
    return list(rows[["silo", "table", "file"]].itertuples(index=False, name=None))


def test_truth_names_only_kinds_that_are_tested(defects: pd.DataFrame) -> None:
    assert set(defects["kind"]) == {*ROW_KINDS, *FILE_KINDS, *OTHER_KINDS}


def test_planted_rows_are_quarantined_and_no_others(defects: pd.DataFrame, quarantine: pd.DataFrame) -> None:
    planted = Counter(of(defects, *ROW_KINDS)[["silo", "table", "file", "line"]].itertuples(index=False, name=None))
    found = Counter(quarantine[["silo", "table", "file", "line"]].itertuples(index=False, name=None))
    assert planted - found == Counter(), "planted, not found"
    assert found - planted == Counter(), "found, not planted"


def test_quarantine_says_what_is_wrong(defects: pd.DataFrame, quarantine: pd.DataFrame) -> None:
    place = ["silo", "table", "file", "line"]
    both = of(defects, *ROW_KINDS).astype({"line": "int64"}).merge(quarantine, on=place)
    wrong = both[both["kind"] != both["reason"]]
    assert wrong.empty, wrong.to_string()
    named = both[both["kind"].isin(["type", "null", "allowed"])]
    assert (named["detail"] == named["column_name"]).all(), named.to_string()


def test_broken_files_are_rejected_whole_and_no_others(
    defects: pd.DataFrame, ledger: dict[Name, dict[str, Any]]
) -> None:
    planted = of(defects, *FILE_KINDS)
    for (silo, table, file), kind in zip(names(planted), planted["kind"], strict=True):
        line = ledger[silo, table, file]
        assert (line["status"], line["rows_loaded"]) == ("quarantined", 0), line
        assert re.search(FILE_KINDS[kind], line["reason"]), line
        good = ledger[silo, table, second(file)]
        assert good["status"] == "loaded" and good["rows_read"] > 0, good
    assert {name for name, line in ledger.items() if line["status"] != "loaded"} == set(names(planted))


def second(file: str) -> str:
    """The name under which a file comes again."""
    stem, ending = file.split(".", 1)
    return f"{stem}_2.{ending}"


def test_files_sent_again_do_not_land_twice(
    qinghe: Qinghe, defects: pd.DataFrame, ledger: dict[Name, dict[str, Any]]
) -> None:
    for silo, table, file in names(of(defects, "resent_file")):
        assert (qinghe.home / "silos" / silo / second(file)).exists()
        assert ledger[silo, table, file]["status"] == "loaded"
        assert (silo, table, second(file)) not in ledger


def test_late_files_are_loaded(defects: pd.DataFrame, ledger: dict[Name, dict[str, Any]]) -> None:
    late = names(of(defects, "late_file"))
    assert [name for name in late if ledger[name]["status"] != "loaded" or not ledger[name]["rows_read"]] == []


def test_rows_sent_again_are_duplicates(defects: pd.DataFrame, ledger: dict[Name, dict[str, Any]]) -> None:
    planted = Counter(names(of(defects, "resent_row")))
    found = Counter({name: line["rows_duplicate"] for name, line in ledger.items() if line["rows_duplicate"]})
    assert found == planted


def test_what_was_corrected_is_superseded(defects: pd.DataFrame, ledger: dict[Name, dict[str, Any]]) -> None:
    for name, planted in Counter(names(of(defects, "superseded"))).items():
        assert ledger[name]["rows_superseded"] >= planted, name
    corrected = of(defects, "corrected_row")
    assert len(corrected)
    for silo, table, file in names(corrected):
        line = ledger[silo, table, file]
        assert line["rows_quarantined"] == 0 and line["rows_read"] > line["rows_duplicate"]


def test_counts_of_every_file_add_up(ledger: dict[Name, dict[str, Any]]) -> None:
    parts = ("rows_loaded", "rows_quarantined", "rows_duplicate", "rows_superseded", "rows_erased")
    wrong = [line for line in ledger.values() if line["rows_read"] != sum(line[part] for part in parts)]
    assert wrong == []


@pytest.mark.parametrize(("silo", "table"), expected.TABLES)
def test_every_file_is_judged_like_the_oracle_judges_it(
    silos: Path, ledger: dict[Name, dict[str, Any]], quarantine: pd.DataFrame, silo: str, table: str
) -> None:
    wanted: dict[str, tuple[Any, ...]] = {}
    found: dict[str, tuple[Any, ...]] = {}
    reasons = {}
    here = quarantine[(quarantine["silo"] == silo) & (quarantine["table"] == table)]
    for file, count in expected.reading(silos, silo, table).files.items():
        parts = (count.rows_read, len(count.rejected), count.rows_duplicate, count.rows_superseded)
        wanted[file] = ("quarantined",) if count.unreadable else ("loaded", *parts)
        reasons.update({(file, number): of_row for number, of_row in count.rejected.items()})
    for line in ledger.values():
        if (line["silo"], line["table"]) == (silo, table):
            counted = ("rows_read", "rows_quarantined", "rows_duplicate", "rows_superseded")
            told = [line[part] for part in counted] if line["status"] == "loaded" else []
            found[line["file"]] = (line["status"], *told)
    assert found == wanted
    judged = {(row.file, row.line): row.reason for row in here.itertuples()}
    assert judged.keys() == reasons.keys()
    assert [place for place, reason in judged.items() if reason not in reasons[place]] == []
