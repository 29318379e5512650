"""A whole run in this process, as a Dagster run that the UI shows; and the UI itself."""

from __future__ import annotations

import gc
import os
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from orchestration.printing import printed_progress
from zhongtai import fingerprint, lock, policies, release
from zhongtai.changes.build import date_range
from zhongtai.errors import BusyError, UsageError
from zhongtai.extract import extract as extraction
from zhongtai.ingest import landing, personal_key
from zhongtai.ingest.contract import load_contracts
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

if TYPE_CHECKING:
    from dagster import DagsterInstance

# Who removes the first line keeps what follows: it is written anew, as the data folder may have been moved.
INSTANCE = """\
# Written by zhongtai. Remove this line to change what follows.
telemetry:
  enabled: false
nux:
  enabled: false
python_logs:
  managed_python_loggers: [zhongtai]
  python_log_level: INFO
"""


@dataclass(frozen=True)
class Asked:
    """What a run is asked for; the fields of `RunOptions`."""

    as_of: str | None = None
    known_at: int | None = None
    full_refresh: bool = False
    rebuild: str | None = None

    @property
    def is_repair(self) -> bool:
        """Whether tables are to be built although nothing changed."""
        return self.full_refresh or self.rebuild is not None


def run(merchant: Merchant, settings: Settings, asked: Asked, out: Console) -> bool:
    """Runs the job, printing what is done, and says how it ended.

    Returns:
        Whether there is nothing left to do: published, or nothing had changed.

    Raises:
        BusyError: another run of the merchant is going on.
        UsageError: the merchant has personal data, and no key to make tokens with; a policy is wrong, dates are no
            range, or are given with a full refresh.
    """
    if asked.rebuild is not None:
        date_range(asked.rebuild)
        if asked.full_refresh:
            raise UsageError("--full-refresh builds what --rebuild would, and all else: give one of the two.")
    started = time.perf_counter()
    if lock.is_held(merchant):
        raise BusyError(lock.busy_message(merchant))
    personal_key.require_key(merchant, load_contracts(settings.sources, sorted(merchant.silos)))
    policies.load(merchant, settings)
    if not asked.is_repair and nothing_changed(merchant, settings, asked, out):
        return True
    out.print(f"{merchant.title}: from silos to release. Dagster starts …")
    result = _execute(merchant, settings, asked, out)
    from orchestration import summaries

    return summaries.print_outcome(merchant, result, time.perf_counter() - started, out)


def extract(merchant: Merchant, settings: Settings, silo: str | None, out: Console) -> bool:
    """Asks the silos that have a database or an interface for what is new; returns whether all answered.

    Raises:
        BusyError: a run of the merchant is going on.
        UsageError: the silo has neither, or is not connected.
    """
    if silo is not None and not extraction.is_extracted(merchant, silo):
        raise UsageError(f"{merchant.file}: silos.{silo} has no 'postgres' and no 'rest'. See docs/extraction.md.")
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    with lock.hold(merchant, "extract"), printed_progress(out):
        failures = extraction.extract(merchant, contracts, [silo] if silo else None)
    for message in failures.values():
        out.print(f"[yellow]warning[/yellow] {message}", soft_wrap=True)
    return not failures


def nothing_changed(merchant: Merchant, settings: Settings, asked: Asked, out: Console) -> bool:
    """Whether the current release already is what this run would publish; says so."""
    current = release.current(merchant)
    if current is None:
        return False
    if any(extraction.is_extracted(merchant, silo) for silo in merchant.silos):
        extract(merchant, settings, None, out)
    if landing.waiting(merchant, load_contracts(settings.sources, sorted(merchant.silos))):
        return False
    now = fingerprint.fingerprint(merchant, settings, landing.position(merchant), asked.as_of, asked.known_at)
    if now != current.fingerprint:
        return False
    out.print(
        f"Nothing new since release {current.release_id}: no file arrived, no code or policy changed. "
        "Nothing was published."
    )
    return True


def prepare_instance(settings: Settings) -> Path:
    """Makes Dagster's home with its settings; those that somebody changed stay."""
    from orchestration import event_log

    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    file = settings.dagster_home / "dagster.yaml"
    wanted = INSTANCE + event_log.configuration(settings.dagster_home)
    found = file.read_text(encoding="utf-8") if file.exists() else None
    if found is None or (found != wanted and found.startswith(INSTANCE.splitlines()[0])):
        temporary = file.with_suffix(".tmp")
        temporary.write_text(wanted, encoding="utf-8")
        temporary.replace(file)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    return settings.dagster_home


def serve(merchant: Merchant, settings: Settings, port: int, out: Console) -> None:
    """Becomes `dagster dev` for the merchant's code location."""
    prepare_instance(settings)
    os.environ["ZHONGTAI_MERCHANT"] = merchant.name
    # Dagster advises another tool, for development; it would be the first thing that a newcomer reads.
    os.environ["PYTHONWARNINGS"] = "ignore:Function `dev_command` is superseded"
    out.print(f"Open http://127.0.0.1:{port} for {merchant.title}; stop with Ctrl-C.")
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    os.chdir(settings.project)
    os.execv(sys.executable, [*command, "-w", "workspace.yaml"])


def _execute(merchant: Merchant, settings: Settings, asked: Asked, out: Console) -> Any:
    # Thousands of modules are imported; collecting garbage among them costs a third of the time.
    gc.disable()
    from orchestration.definitions import build
    from orchestration.defs.jobs import JOB
    from orchestration.event_log import pooled_instance

    prepare_instance(settings)
    job = build(merchant.name).resolve_job_def(JOB)
    gc.enable()
    options = {"merchant": merchant.name, **asdict(asked)}
    with printed_progress(out), pooled_instance(settings.dagster_home) as instance:
        _belong_to_the_ui(instance, settings, JOB)
        return job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags={"zhongtai/merchant": merchant.name},
            run_config={
                "resources": {"run_options": {"config": options}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )


def _belong_to_the_ui(instance: DagsterInstance, settings: Settings, job: str) -> None:
    """Makes the instance's new runs belong to the job of the code location that `serve` shows.

    `execute_in_process` has no argument for it. Without it the UI lists the run, but neither on the job's own page nor
    as the job's latest, and cannot tell which job it was of.
    """
    from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
    from dagster._core.remote_origin import RemoteRepositoryOrigin
    from dagster._core.workspace.load import location_origins_from_yaml_paths

    location = location_origins_from_yaml_paths([str(settings.project / "workspace.yaml")])[0]
    origin = RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME).get_job_origin(job)
    created = partial(instance.create_run_for_job, remote_job_origin=origin)
    instance.create_run_for_job = created  # type: ignore[method-assign]
