"""`zhongtai up` in a process of its own, as tests and benchmarks need it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zhongtai.settings import PROJECT_ROOT


@contextmanager
def up(environment: dict[str, str], log: Path, patience: float = 120) -> Iterator[str]:
    """Runs `zhongtai up` on a free port, and stops it with all its children at the end.

    Args:
        environment: variables beside those of this process, such as ZHONGTAI_HOME.
        log: the file that what it prints goes to.
        patience: seconds until it must answer.

    Yields:
        Its address, as soon as it answers.

    Raises:
        RuntimeError: it ended, or did not answer in time; with the end of what it printed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w", encoding="utf-8") as writing:
        server = subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", "up", "--port", str(port)],
            env={**os.environ, **environment},
            cwd=PROJECT_ROOT,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_served(f"{address}/server_info", server, log, patience)
            yield address
        finally:
            _stop(server)


def _wait_until_served(address: str, server: subprocess.Popen[bytes], log: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(1)
    raise RuntimeError(f"zhongtai up does not answer:\n{log.read_text(encoding='utf-8')[-5000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Interrupts the server and its children; kills what does not listen, as where pytest runs in the background."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=20)
        os.killpg(server.pid, signal.SIGKILL)
    server.wait(timeout=10)
