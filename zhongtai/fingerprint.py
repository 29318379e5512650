"""Whether anything that decides a release has changed. Imports nothing heavy: it runs before everything else."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from zhongtai.erasure import erasures
from zhongtai.errors import ZhongtaiError
from zhongtai.ingest import personal_key
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

# Code and data whose change must lead to a new release, relative to the project.
_PARTS = ("zhongtai", "transform", "expectations", "merchants/policies.yml", "requirements.lock")
# The simulator makes what silos hold; it decides nothing.
_IGNORED = {"__pycache__", "target", "logs", "dbt_packages", "simulator"}


def fingerprint(merchant: Merchant, settings: Settings, position: int, as_of: str | None, known_at: int | None) -> str:
    """A hash of landed data, code, policies and the moment asked for: the same hash gives the same release.

    Args:
        position: the last landing position.
        as_of, known_at: what the run was asked for, None for the default.
    """
    digest = hashlib.sha256(
        json.dumps([position, as_of, known_at, personal_key.fingerprint(merchant), erasures.mark(merchant)]).encode()
    )
    _add(digest, merchant.file.name, merchant.file)
    for part in _PARTS:
        path = settings.project / part
        for file in [path] if path.is_file() else _files(path):
            _add(digest, str(file.relative_to(settings.project)), file)
    return digest.hexdigest()


def record(merchant: Merchant, run_id: str, mark: str) -> None:
    """Remembers what a run began with: what changes while it goes on is for the next one."""
    merchant.warehouse.mkdir(parents=True, exist_ok=True)
    (merchant.warehouse / "fingerprint.json").write_text(json.dumps({"run_id": run_id, "fingerprint": mark}))


def recorded(merchant: Merchant, run_id: str) -> str:
    """What the run began with.

    Raises:
        ZhongtaiError: the run did not begin with ingest.
    """
    file = merchant.warehouse / "fingerprint.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    if found.get("run_id") != run_id:
        raise ZhongtaiError("The run did not begin with ingest. Run everything: zhongtai run")
    return str(found["fingerprint"])


def git_sha(settings: Settings) -> str | None:
    """The checkout's commit, with '+changes' where files differ from it; None outside a git checkout."""
    git = ["git", "-C", str(settings.project)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False)
        status = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if head.returncode != 0:
        return None
    return head.stdout.strip() + ("+changes" if status.stdout.strip() else "")


def _add(digest: hashlib._Hash, name: str, file: Path) -> None:
    """Name and content with their lengths, so that no two sets of files read the same."""
    content = file.read_bytes()
    digest.update(json.dumps([name, len(content)]).encode())
    digest.update(content)


def _files(folder: Path) -> list[Path]:
    """The files that people wrote. What stands above the folder, and may be called `target`, does not matter."""
    return sorted(file for file in folder.rglob("*") if not _ignored(file.relative_to(folder)) and file.is_file())


def _ignored(path: Path) -> bool:
    return any(part in _IGNORED or part.startswith(".") for part in path.parts)
