"""Planted defects of files and rows, recorded as truth.

A broken row is always one more: the good row stands beside it. A broken file is followed by a good one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from zhongtai.ingest.contract import Contract
from zhongtai.simulator.breakage import DAY_SECONDS, Fate, Row, RowPlan, faulty, missing_column
from zhongtai.simulator.columns import shown_time
from zhongtai.simulator.world import World

_ROW_FAULTS = ("type", "null", "allowed", "structure", "key_conflict")
_ROW_SHARES = {"type": 0.0003, "null": 0.0003, "allowed": 0.0003, "structure": 0.0002, "key_conflict": 0.0003}
_ROW_SHARES |= {"resent_row": 0.0009, "corrected_row": 0.0008}
_FAULTY_FILE_SHARE = 0.06  # rows go wrong in few files
_LATE_SHARE, _RESENT_SHARE, _BROKEN_SHARE = 0.014, 0.004, 0.0003
_LONGEST_DAYS = 40
# Which formats can break as a file, and how; in this order of planting the first of a kind.
_BROKEN_KINDS = {
    "truncated_file": ("jsonl", "json", "parquet", "xlsx"),
    "wrong_encoding": ("csv",),
    "missing_column": ("csv", "parquet"),
    "empty_file": ("csv", "json", "jsonl", "parquet"),
}
_ENOUGH_FILES = 12
# Tables in which every kind that fits them is planted at least once, however small the simulation is.
_SURE_TABLES = ("orders", "order_lines", "coupons", "members", "shipments", "purchase_orders", "receipts")

FilePlace = tuple[str, int, int, int]  # name, first and last row, epoch second of landing
RowsAt = Callable[[np.ndarray], list[Row]]


class Defects:
    """Plants defects and remembers them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: list[tuple[str, str, str, int | None, str, str]] = []
        self._unplanted = set(_BROKEN_KINDS)
        self._last_landing = int(world.at(world.days, 2 * 3600).astype("int64"))

    def truth(self) -> pd.DataFrame:
        """silo, table, file, line (record in the file, 1-based; empty for a whole file), kind, detail."""
        columns = ["silo", "table", "file", "line", "kind", "detail"]
        frame = pd.DataFrame(sorted(self._found, key=str), columns=columns)
        return frame.astype({"line": "Int64"})

    def fates(self, contracts: list[Contract], files: list[tuple[str, int]]) -> dict[int, Fate]:
        """What happens to which files as a whole.

        Args:
            contracts: of the tables that the files hold.
            files: name and epoch second of landing.
        """
        first = contracts[0]
        rng = self._world.rng("fates", first.silo, first.table, files[0][0] if files else "")
        lands = np.array([lands_at for _, lands_at in files], dtype=np.int64)
        slack = (self._last_landing - lands) // DAY_SECONDS
        draw = rng.random(len(files))
        days = np.minimum(1 + rng.exponential(9, len(files)).astype(int), np.minimum(_LONGEST_DAYS, slack))
        fates: dict[int, Fate] = {}
        for late in np.flatnonzero((draw < _LATE_SHARE) & (days >= 1)).tolist():
            fates[late] = Fate("late_file", int(days[late]))
        resent = (draw >= _LATE_SHARE) & (draw < _LATE_SHARE + _RESENT_SHARE) & (days >= 1)
        for again in np.flatnonzero(resent).tolist():
            fates[again] = Fate("resent_file", int(min(days[again], 3)))
        self._break_files(first, fates, slack, rng)
        for index, fate in fates.items():
            detail = missing_column(first) if fate.kind == "missing_column" else f"{fate.days} days"
            for contract in contracts:
                self._found.append((contract.silo, contract.table, files[index][0], None, fate.kind, detail))
        return fates

    def _break_files(
        self, contract: Contract, fates: dict[int, Fate], slack: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Adds broken files: of every kind one, and a few more where there are many."""
        for kind, formats in _BROKEN_KINDS.items():
            if contract.format not in formats:
                continue
            count = int(rng.poisson(len(slack) * _BROKEN_SHARE))
            if kind in self._unplanted and len(slack) >= _ENOUGH_FILES:
                count = max(count, 1)
            free = np.array([one for one in np.flatnonzero(slack >= 1) if int(one) not in fates], dtype=int)
            for index in rng.permutation(free)[:count]:
                fates[int(index)] = Fate(kind, 1)
                self._unplanted.discard(kind)
            if count and contract.format == "csv":
                break  # a silo has bad days, but not all at once in one table

    def rows(
        self, contract: Contract, contents: pa.Table, files: list[FilePlace], spared: set[int], rows_at: RowsAt
    ) -> dict[int, RowPlan]:
        """What happens to the rows of which files.

        Args:
            contents: the table in the order of its files.
            spared: files that keep their rows as they are.
            rows_at: gives rows of `contents` as the file shows them.
        """
        rng = self._world.rng("row defects", contract.silo, contract.table, files[0][0] if files else "")
        free = np.array([index for index in range(len(files)) if index not in spared], dtype=int)
        if not len(free):
            return {}
        chosen = np.sort(rng.permutation(free)[: max(1, int(len(free) * _FAULTY_FILE_SHARE))])
        rows = np.concatenate([np.arange(files[index][1], files[index][2]) for index in chosen])
        plans: dict[int, RowPlan] = {}

        def plan_of(row: int) -> tuple[RowPlan, int]:
            index = int(np.searchsorted([start for _, start, _, _ in files], row, side="right") - 1)
            if index not in plans:
                plans[index] = RowPlan(self._recorder(contract, files[index][0]))
            return plans[index], row - files[index][1]

        for kind in _ROW_FAULTS:
            for row, values in self._drawn(kind, contract, rows, contents.num_rows, rows_at, rng):
                broken = faulty(contract, kind, values, float(rng.random()))
                if broken is not None:
                    plan, place = plan_of(row)
                    plan.put(place, kind, *broken)
        if contract.load_mode == "snapshot":
            return plans
        targets = np.array([start for index, (_, start, _, _) in enumerate(files) if index not in spared])
        resent = set()
        for row, values in self._drawn("resent_row", contract, rows, contents.num_rows, rows_at, rng):
            resent.add(row)
            later = targets[targets > row][1:4]
            if len(later):
                plan, place = plan_of(int(rng.choice(later)))
                plan.put(place, "resent_row", values, "")
        if contract.version:
            drawn = self._drawn("corrected_row", contract, rows, contents.num_rows, rows_at, rng)
            # What was sent again is the same in both places, so it is not also corrected.
            fresh = [(row, values) for row, values in drawn if row not in resent]
            self._correct(contract, contents, targets, fresh, plan_of)
        return plans

    def _drawn(
        self,
        kind: str,
        contract: Contract,
        rows: np.ndarray,
        total: int,
        rows_at: RowsAt,
        rng: np.random.Generator,
    ) -> list[tuple[int, Row]]:
        """Rows for a kind: as many as its share of the table; one at least for the tables that are asked first."""
        count = int(rng.poisson(total * _ROW_SHARES[kind]))
        # Few of the rows that are drawn can be corrected, and what they supersede has to occur too.
        planted, least = ("superseded", 8) if kind == "corrected_row" else (kind, 1)
        if contract.table in _SURE_TABLES and not any(found[4] == planted for found in self._found):
            count = max(count, least)
        picked = np.sort(rng.permutation(rows)[: min(count, len(rows))])
        return list(zip(picked.tolist(), rows_at(picked), strict=True)) if len(picked) else []

    def _correct(
        self,
        contract: Contract,
        contents: pa.Table,
        targets: np.ndarray,
        drawn: list[tuple[int, Row]],
        plan_of: Callable[[int], tuple[RowPlan, int]],
    ) -> None:
        """Leaves something out of a row, and sends it whole and with a newer version in a later file."""
        version = contract.column(str(contract.version)).source_name
        versions = contents[version].to_numpy().astype("datetime64[s]")
        for row, values in drawn:
            later = [one for one in targets[targets > row][:8] if versions[one] > versions[row]]
            if not later or not _is_last(contract, contents, row):
                continue
            gap = _gap(contract, values)
            if gap is not None:
                plan, place = plan_of(row)
                if place in plan.instead:
                    continue
                plan.instead[place] = ({**values, gap: None}, gap)
            plan, place = plan_of(int(later[-1]))
            newer = {**values, version: shown_time(contract, versions[later[-1]])}
            plan.put(place, "corrected_row", newer, gap or version)

    def _recorder(self, contract: Contract, name: str) -> Callable[[str, int, str], None]:
        def record(kind: str, line: int, detail: str) -> None:
            self._found.append((contract.silo, contract.table, name, line, kind, detail))

        return record


def _is_last(contract: Contract, contents: pa.Table, row: int) -> bool:
    """Whether no later row has the key of this one."""
    same = None
    for name in contract.key:
        column = contents[contract.column(name).source_name].slice(row + 1)
        value = contents[contract.column(name).source_name][row]
        equal = pc.equal(column, value)
        same = equal if same is None else pc.and_(same, equal)
    return not pc.any(same).as_py()


def _gap(contract: Contract, row: dict[str, Any]) -> str | None:
    """An optional text of the row that can be left out and told later."""
    for column in contract.columns:
        plain = column.data_type == "string" and column.nullable and not column.name.endswith("_id")
        if plain and column.name not in contract.key and row[column.source_name] is not None:
            return column.source_name
    return None
