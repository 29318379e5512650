"""Results on disk between the steps of a run, a file a step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from zhongtai.quality.results import CheckResult


class _Saved(BaseModel):
    """What one step of one run found."""

    run_id: str
    results: list[CheckResult]


def save(folder: Path, name: str, run_id: str, results: Sequence[CheckResult]) -> None:
    """Writes `<folder>/<name>.json` at once, replacing what an earlier run found.

    Args:
        folder: made where it does not exist.
        name: of the step, for example `raw_complete_journey`.
        run_id: the run that the results belong to.
        results: may be empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f".{name}.{os.getpid()}.tmp"
    written.write_text(_Saved(run_id=run_id, results=list(results)).model_dump_json(indent=2), encoding="utf-8")
    written.replace(folder / f"{name}.json")


def load(folder: Path, run_id: str) -> list[CheckResult]:
    """All results that a run saved, by file name; those of other runs are left out."""
    saved = [_Saved.model_validate_json(file.read_bytes()) for file in sorted(folder.glob("*.json"))]
    return [result for each in saved if each.run_id == run_id for result in each.results]
