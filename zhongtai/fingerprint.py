"""Whether anything that decides a release has changed. Imports nothing heavy: it runs before everything else."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

# Code and data whose change must lead to a new release, relative to the project.
_PARTS = ("zhongtai", "transform", "expectations", "merchants/policies.yml", "requirements.lock")
_IGNORED = {"__pycache__", "target", "logs", "dbt_packages"}


def fingerprint(merchant: Merchant, settings: Settings, position: int, as_of: str | None, known_at: int | None) -> str:
    """A hash of landed data, code, policies and the moment asked for: the same hash gives the same release.

    Args:
        position: the last landing position.
        as_of, known_at: what the run was asked for, None for the default.
    """
    digest = hashlib.sha256(json.dumps([position, as_of, known_at]).encode())
    digest.update(merchant.file.read_bytes())
    for part in _PARTS:
        path = settings.project / part
        for file in [path] if path.is_file() else _files(path):
            digest.update(str(file.relative_to(settings.project)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


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


def _files(folder: Path) -> list[Path]:
    found = (file for file in folder.rglob("*") if file.is_file() and not _IGNORED.intersection(file.parts))
    return sorted(file for file in found if not file.name.startswith("."))
