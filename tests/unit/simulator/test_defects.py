"""Planted defects are where the truth says, and are what it says."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.unit.simulator.conftest import files_of, records
from zhongtai.ingest.contract import Contract

Contracts = dict[tuple[str, str], Contract]
FILE_KINDS = {"late_file", "resent_file", "empty_file", "truncated_file", "wrong_encoding", "missing_column"}
ROW_KINDS = {"type", "null", "allowed", "structure", "key_conflict", "resent_row", "corrected_row", "superseded"}
DAY = 86_400


@pytest.fixture(scope="module")
def defects(home: Path) -> pd.DataFrame:
    """Every planted defect."""
    return pd.read_parquet(home / "truth" / "defects.parquet")


def records_of(home: Path, contract: Contract, name: str) -> list[dict[str, Any]]:
    return records(contract, home / "silos" / contract.silo / name)


def test_every_kind_occurs(defects: pd.DataFrame) -> None:
    assert set(defects["kind"]) >= FILE_KINDS | ROW_KINDS - {"superseded"}
    assert defects["kind"].isin(FILE_KINDS | ROW_KINDS).all()
    assert (defects["line"].isna() == defects["kind"].isin(FILE_KINDS)).all()


def test_rows_are_broken_where_the_truth_says(home: Path, contracts: Contracts, defects: pd.DataFrame) -> None:
    for defect in defects[defects["line"].notna()].to_dict("records"):
        contract = contracts[defect["silo"], defect["table"]]
        row = records_of(home, contract, defect["file"])[int(defect["line"]) - 1]
        if defect["kind"] == "structure":
            assert row == {}, defect
        elif defect["kind"] in ("type", "null", "allowed"):
            expected = {"type": "暂无", "null": None, "allowed": "unknown"}[defect["kind"]]
            assert row[contract.column(defect["detail"]).source_name] == expected, defect


def test_a_conflict_has_the_key_of_another_row(home: Path, contracts: Contracts, defects: pd.DataFrame) -> None:
    for defect in defects[defects["kind"] == "key_conflict"].to_dict("records"):
        contract = contracts[defect["silo"], defect["table"]]
        names = [contract.column(name).source_name for name in contract.key]
        changed = contract.column(defect["detail"]).source_name
        rows = records_of(home, contract, defect["file"])
        bad = rows[int(defect["line"]) - 1]
        same = [row for row in rows if row and all(row[name] == bad[name] for name in names)]
        assert len({row[changed] for row in same}) >= 2, defect


def test_a_corrected_row_is_newer_than_what_it_corrects(
    home: Path, contracts: Contracts, defects: pd.DataFrame
) -> None:
    for defect in defects[defects["kind"] == "corrected_row"].to_dict("records"):
        contract = contracts[defect["silo"], defect["table"]]
        names = [contract.column(name).source_name for name in contract.key]
        version = contract.column(str(contract.version)).source_name
        row = records_of(home, contract, defect["file"])[int(defect["line"]) - 1]
        versions = [
            other[version]
            for file in files_of(home, contract)
            if file.stat().st_size and not _is_broken(defects, contract, file)
            for other in records(contract, file)
            if other and all(other[name] == row[name] for name in names) and other[version] is not None
        ]
        assert max(str(one) for one in versions if one != "暂无") == str(row[version]), defect


def _is_broken(defects: pd.DataFrame, contract: Contract, file: Path) -> bool:
    whole = defects[(defects["silo"] == contract.silo) & (defects["file"] == file.name) & defects["line"].isna()]
    return bool(whole["kind"].isin(FILE_KINDS - {"late_file", "resent_file"}).any())


def test_files_are_late_resent_or_broken(home: Path, contracts: Contracts, defects: pd.DataFrame) -> None:
    for defect in defects[defects["line"].isna()].to_dict("records"):
        contract = contracts[defect["silo"], defect["table"]]
        file = home / "silos" / contract.silo / defect["file"]
        again = file.with_name(file.name.replace(".", "_2.", 1))
        if defect["kind"] == "late_file":
            assert not again.exists()
            continue
        assert again.stat().st_mtime >= file.stat().st_mtime + DAY
        if defect["kind"] == "resent_file":
            assert again.read_bytes() == file.read_bytes()
        elif defect["kind"] == "empty_file":
            assert file.stat().st_size == 0
        elif defect["kind"] == "missing_column":
            assert defect["detail"] not in records(contract, file)[0]
        elif contract.format not in {"xlsx", "parquet"}:
            with pytest.raises(ValueError, match=re.escape(file.name)):
                records(contract, file)
        if defect["kind"] != "resent_file":
            assert records(contract, again)


def test_landing_follows_time(home: Path) -> None:
    files = sorted((home / "silos" / "live").glob("orders_*.json"))
    times = [file.stat().st_mtime for file in files]
    later = sum(first > second for first, second in itertools.pairwise(times))
    assert later <= len(files) // 10
    assert all((time - 18 * 3600) % DAY == 0 for time in times)  # two in the morning in China
