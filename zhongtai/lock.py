"""One run of a merchant at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from zhongtai.errors import BusyError
from zhongtai.merchant import Merchant

# Whoever asks whether the lock is held holds it for an instant; that is no reason to refuse a run.
_PATIENCE_SECONDS = 0.5


@contextmanager
def hold(merchant: Merchant, run_id: str) -> Iterator[None]:
    """Holds the merchant's lock; the system lets go of it when the process dies.

    Raises:
        BusyError: another run holds it; says which, since when.
    """
    merchant.home.mkdir(parents=True, exist_ok=True)
    holder = merchant.home / "run.json"
    lock = FileLock(merchant.home / "run.lock")
    try:
        lock.acquire(timeout=_PATIENCE_SECONDS, poll_interval=0.02)
    except Timeout as error:
        raise BusyError(busy_message(merchant)) from error
    try:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({"run_id": run_id, "pid": os.getpid(), "since": now}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def is_held(merchant: Merchant) -> bool:
    """Whether a run is going on now."""
    if not (merchant.home / "run.lock").exists():
        return False
    lock = FileLock(merchant.home / "run.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def busy_message(merchant: Merchant) -> str:
    """Who holds the lock, in words."""
    try:
        holder = json.loads((merchant.home / "run.json").read_text())
        who = f"run {holder['run_id']}, process {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, LookupError, TypeError):
        return f"Another run of '{merchant.name}' is just starting or ending. Try again in a moment."
    return f"Another run of '{merchant.name}' is going on: {who}. Wait for it, then run again."
