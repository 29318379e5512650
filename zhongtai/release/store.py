"""The releases that are there: which is current, which were, and which may go."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from zhongtai.errors import UsageError
from zhongtai.merchant import Merchant
from zhongtai.release import catalogue
from zhongtai.release.manifest import Manifest

LOGGER = logging.getLogger(__name__)

# A release's folder is its id: the moment, the run and, of several in a second, a number.
FOLDERS = "[0-9]*T[0-9]*Z-*"


@dataclass
class Pruned:
    """What pruning did.

    Attributes:
        removed: release ids.
        kept: release ids and why each is kept.
    """

    removed: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)


def current(merchant: Merchant) -> Manifest | None:
    """The release that readers open now, None before the first and where it is broken."""
    release_id = current_id(merchant)
    return _read(merchant.releases / release_id) if release_id else None


def as_of_date(merchant: Merchant) -> date | None:
    """The business date of the current release's as_of, None where there is no release."""
    manifest = current(merchant)
    return manifest.as_of.astimezone(ZoneInfo(merchant.time_zone)).date() if manifest else None


def current_id(merchant: Merchant) -> str | None:
    """Where the link points to, whether or not a release is there."""
    link = merchant.releases / "current"
    return link.readlink().name if link.is_symlink() else None


def list_releases(merchant: Merchant) -> list[Manifest]:
    """Every release, newest first; a folder that is none is logged and left out."""
    found = [_read(file.parent) for file in merchant.releases.glob(f"{FOLDERS}/manifest.json")]
    return sorted((manifest for manifest in found if manifest), key=_age, reverse=True)


def get(merchant: Merchant, release_id: str = "current") -> Manifest:
    """A release by its id, a unique prefix of it, or 'current'.

    Raises:
        UsageError: none or several match; lists what there is.
    """
    if release_id == "current":
        manifest = current(merchant)
        if manifest is None and (broken := current_id(merchant)):
            raise UsageError(f"{broken} is broken. Go back to another (zhongtai releases rollback ID), or run again.")
        if manifest is None:
            raise UsageError(f"'{merchant.name}' has no release yet. Run: zhongtai run")
        return manifest
    releases = list_releases(merchant)
    matching = [manifest for manifest in releases if manifest.release_id == release_id] or [
        manifest for manifest in releases if manifest.release_id.startswith(release_id)
    ]
    if len(matching) != 1:
        there = ", ".join(manifest.release_id for manifest in matching or releases) or "none"
        word = "Several releases begin" if matching else "No release begins"
        raise UsageError(f"{word} with '{release_id}'. There is: {there}")
    return matching[0]


def make_current(merchant: Merchant, release_id: str, action: str) -> None:
    """Moves the link in one step: a reader sees the old release or the new one, never neither.

    It is logged before: what is in the log and did not happen only keeps a release longer.
    """
    event = {
        "at": datetime.now(UTC).isoformat(),
        "action": action,
        "release_id": release_id,
        "previous": current_id(merchant),
    }
    _append(merchant.releases / "log.jsonl", event)
    unfinished = merchant.releases / ".current"
    unfinished.unlink(missing_ok=True)
    unfinished.symlink_to(release_id)
    os.replace(unfinished, merchant.releases / "current")


def rollback(merchant: Merchant, release_id: str | None = None) -> Manifest:
    """Makes an earlier release current again.

    Args:
        release_id: where to, by default the newest one older than the current that readers have had. (A crash
            before the link moved leaves a release that nobody has had.)

    Raises:
        UsageError: there is no such release.
    """
    if release_id is None:
        now = get(merchant)
        had = set(_last_used(merchant))
        older = [
            manifest
            for manifest in list_releases(merchant)
            if _age(manifest) < _age(now) and manifest.release_id in had
        ]
        if not older:
            raise UsageError(f"There is no release before {now.release_id} to go back to.")
        target = older[0]
    else:
        target = get(merchant, release_id)
    make_current(merchant, target.release_id, "rollback")
    return target


def prune(
    merchant: Merchant, keep: int = 7, grace: timedelta = timedelta(hours=24), now: datetime | None = None
) -> Pruned:
    """Removes what is beyond the `keep` newest, but never the current release, nor one that readers may still use.

    Args:
        grace: how long a release stays after it stopped being current.
        now: by default the wall clock.
    """
    now = now or datetime.now(UTC)
    link = current_id(merchant)
    last_used = _last_used(merchant)
    outcome = Pruned()
    for number, manifest in enumerate(list_releases(merchant)):
        name = manifest.release_id
        used = last_used.get(name, manifest.created_at)
        if name == link:
            outcome.kept[name] = "current"
        elif number < keep:
            outcome.kept[name] = f"among the {keep} newest"
        elif now - used < grace:
            outcome.kept[name] = "was current until a moment ago"
        else:
            # Without its manifest it is no release any more, even if removal is cut off here.
            (merchant.releases / name / "manifest.json").unlink()
            shutil.rmtree(merchant.releases / name)
            outcome.removed.append(name)
    return outcome


def relocate(merchant: Merchant) -> None:
    """Rewrites the views of every release after the data folder was moved: they name files by absolute path."""
    for manifest in list_releases(merchant):
        catalogue.write(merchant.releases / manifest.release_id, manifest)


def _age(manifest: Manifest) -> tuple[datetime, str]:
    return manifest.created_at, manifest.release_id


def _last_used(merchant: Merchant) -> dict[str, datetime]:
    """When each release ceased to be current, by the log of publishing and rolling back."""
    used: dict[str, datetime] = {}
    for event in _events(merchant.releases / "log.jsonl"):
        if previous := event.get("previous"):
            used[previous] = datetime.fromisoformat(event["at"])
    return used


def _events(log: Path) -> Iterator[dict[str, str]]:
    """The lines of the log; one torn by a crash was of a link that did not move, and is left out."""
    for line in log.read_bytes().splitlines() if log.exists() else []:
        try:
            yield json.loads(line)
        except ValueError:
            LOGGER.warning("%s has a line that is not JSON; it was left out", log)


def _append(log: Path, event: dict[str, str | None]) -> None:
    """Adds a line, on a line of its own even where a crash tore the last one."""
    with log.open("a+b") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(size - 1, 0))
        start = b"" if stream.read() in (b"", b"\n") else b"\n"
        stream.write(start + json.dumps(event).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def _read(folder: Path) -> Manifest | None:
    file = folder / "manifest.json"
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        LOGGER.warning("%s is no release: it has no manifest.json", folder)
        return None
    except ValidationError as error:
        LOGGER.warning("%s is not readable as a manifest and was left out: %s", file, error.errors()[0]["msg"])
        return None
