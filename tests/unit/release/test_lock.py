"""The lock: one run of a merchant at a time, also when the holder is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from zhongtai import lock
from zhongtai.errors import BusyError

if TYPE_CHECKING:
    from tests.unit.release.conftest import House

HOLDER = """
import sys, time, pathlib
from zhongtai import lock
from zhongtai.merchant import Merchant
home = pathlib.Path(sys.argv[1])
merchant = Merchant(name="small", title="", time_zone="UTC", currency="CNY", locale="zh_CN", silos={},
                    file=home / "x.yml", home=home)
with lock.hold(merchant, "run-of-the-other"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_refused_and_told_by_whom(house: House) -> None:
    assert not lock.is_held(house.merchant) and not house.merchant.home.exists(), "asking makes no folder"
    with lock.hold(house.merchant, "run-1"):
        assert lock.is_held(house.merchant)
        with (
            pytest.raises(BusyError, match=rf"'small' is going on: run run-1, process {os.getpid()}, since 20"),
            lock.hold(house.merchant, "run-2"),
        ):
            pass
        assert lock.is_held(house.merchant) and "run-1" in lock.busy_message(house.merchant), "still the first's"
    assert not lock.is_held(house.merchant) and not (house.merchant.home / "run.json").exists()
    with lock.hold(house.merchant, "run-3"):
        assert "run-3" in lock.busy_message(house.merchant)


def test_it_is_released_when_the_work_fails(house: House) -> None:
    with pytest.raises(ZeroDivisionError), lock.hold(house.merchant, "run-1"):
        _ = 1 / 0
    assert not lock.is_held(house.merchant)


def test_it_is_released_when_the_holder_is_killed(house: House) -> None:
    home = str(house.merchant.home)
    with subprocess.Popen([sys.executable, "-c", HOLDER, home], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        for _ in range(20):
            assert lock.is_held(house.merchant), "asking does not let go of it"
        with (
            pytest.raises(BusyError, match=f"run run-of-the-other, process {holder.pid}, since"),
            lock.hold(house.merchant, "mine"),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
    assert (house.merchant.home / "run.json").exists(), "it could not tidy up"
    assert not lock.is_held(house.merchant)
    with lock.hold(house.merchant, "mine"):
        assert "run mine" in lock.busy_message(house.merchant)


def test_who_only_asks_does_not_keep_a_run_from_starting(house: House) -> None:
    with lock.hold(house.merchant, "first"):
        pass
    until = time.monotonic() + 0.5

    def ask() -> None:
        while time.monotonic() < until:
            lock.is_held(house.merchant)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    started = 0
    while time.monotonic() < until:
        with lock.hold(house.merchant, "run"):
            started += 1
    for thread in threads:
        thread.join()
    assert started > 3


@pytest.mark.parametrize("content", ["", '{"run_id": "x', "[]", "{}", "null"])
def test_a_half_written_note_is_no_error(house: House, content: str) -> None:
    house.merchant.home.mkdir(parents=True)
    (house.merchant.home / "run.json").write_text(content)
    assert "just starting or ending" in lock.busy_message(house.merchant)


def test_merchants_do_not_wait_for_each_other(house: House, tmp_path: Path) -> None:
    other = house.merchant.model_copy(update={"name": "other", "home": tmp_path / "other"})
    with lock.hold(house.merchant, "a"), lock.hold(other, "b"):
        assert "run b" in lock.busy_message(other)
