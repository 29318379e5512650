"""Simulated merchants, made once each."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from zhongtai.ingest.contract import Contract, load_contracts
from zhongtai.settings import PROJECT_ROOT
from zhongtai.simulator.simulate import simulate

SEEDS = (1, 2, 3)


@pytest.fixture(scope="session")
def merchants(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Gives the folder of the smallest merchant of a seed."""
    made: dict[int, Path] = {}

    def merchant(seed: int) -> Path:
        if seed not in made:
            made[seed] = tmp_path_factory.mktemp(f"merchant{seed}")
            simulate(made[seed], "xs", seed)
        return made[seed]

    return merchant


@pytest.fixture(scope="session")
def home(merchants: Callable[[int], Path]) -> Path:
    """The merchant that most tests look at."""
    return merchants(1)


def records(contract: Contract, file: Path) -> list[dict[str, Any]]:
    """The records of a file, by header; a line that is none gives an empty one.

    Raises:
        ValueError: the file as a whole cannot be read.
    """
    try:
        return _records(contract, file)
    except (EOFError, UnicodeError, zlib.error, OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{file.name}: {error}") from error


def _records(contract: Contract, file: Path) -> list[dict[str, Any]]:
    if contract.format == "parquet":
        return pq.read_table(file).to_pylist()
    if contract.format == "xlsx":
        sheet = CalamineWorkbook.from_path(file).get_sheet_by_name(contract.sheet or contract.table)
        names, *rows = sheet.to_python(skip_empty_area=False)
        titles = [str(name) for name in names]
        return [{name: None if value == "" else value for name, value in zip(titles, row, strict=True)} for row in rows]
    content = file.read_bytes()
    text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode(contract.encoding).lstrip("\ufeff")
    if contract.format == "json":
        return json.loads(text)["data"]["list"]
    if contract.format == "jsonl":
        return [_json(line) for line in text.splitlines()]
    header, *lines = csv.reader(io.StringIO(text))
    columns = [name.strip() for name in header]
    cells = [[cell.strip() or None for cell in line] for line in lines]
    return [dict(zip(columns, line, strict=True)) if len(line) == len(columns) else {} for line in cells]


def _json(line: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return {}


def files_of(home: Path, contract: Contract) -> list[Path]:
    """The files of a table in the order in which they landed."""
    files = (home / "silos" / contract.silo).glob(contract.file)
    return sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))


def whole_files(home: Path) -> set[tuple[str, str]]:
    """Silo and name of the files that were planted as broken."""
    defects = pd.read_parquet(home / "truth" / "defects.parquet")
    broken = defects[defects["kind"].isin(["empty_file", "truncated_file", "wrong_encoding", "missing_column"])]
    return set(zip(broken["silo"], broken["file"], strict=True))


def good_rows(home: Path, contracts: dict[tuple[str, str], Contract], silo: str, table: str) -> pd.DataFrame:
    """The rows of a table without planted defects, each version once; columns by the contract's names."""
    contract = contracts[silo, table]
    defects = pd.read_parquet(home / "truth" / "defects.parquet")
    mine = defects[(defects["silo"] == silo) & (defects["table"] == table)]
    planted = mine[mine["line"].notna() & (mine["kind"] != "superseded")]
    skipped = set(zip(planted["file"], planted["line"].astype(int), strict=True))
    resent = {name.replace(".", "_2.", 1) for name in mine.loc[mine["kind"] == "resent_file", "file"]}
    broken = whole_files(home)
    rows = []
    for file in files_of(home, contract):
        if file.name in resent or (silo, file.name) in broken:
            continue
        # A good copy has the numbers of the file that it replaces.
        for number, row in enumerate(records(contract, file), start=1):
            if (file.name, number) not in skipped:
                rows.append(row)
    frame = pd.DataFrame(rows, columns=[column.source_name for column in contract.columns])
    return frame.rename(columns={column.source_name: column.name for column in contract.columns})


@pytest.fixture(scope="session")
def contracts() -> dict[tuple[str, str], Contract]:
    """The contracts of all silos, by silo and table."""
    folder = PROJECT_ROOT / "transform" / "models" / "sources"
    return {(contract.silo, contract.table): contract for contract in load_contracts(folder)}
