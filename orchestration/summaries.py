"""What commands print: outcomes, releases, quarantine and status, in words and tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from orchestration.printing import plain
from zhongtai import alerts, lock, release
from zhongtai.ingest import drift, ledger
from zhongtai.ingest.contract import load_contracts
from zhongtai.ingest.ledger import TableTotals
from zhongtai.merchant import Merchant
from zhongtai.quality import store
from zhongtai.quality.results import CheckResult
from zhongtai.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from zhongtai.release.manifest import Manifest

# Columns of a sample row shown in a terminal; the report has all of them.
_SAMPLE_COLUMNS = 8


def print_outcome(merchant: Merchant, result: dg.ExecuteInProcessResult, seconds: float, out: Console) -> bool:
    """Says what was published, or why nothing was.

    Returns:
        Whether the run succeeded.
    """
    results = store.load(merchant.warehouse / "checks", result.run_id)
    warned = [found for found in results if found.status != "passed" and not found.blocks]
    blocking = [found for found in results if found.blocks]
    for found in [*blocking, *warned]:
        print_check(found, out)
    if not result.success:
        if not blocking:
            _print_step_failures(result, out)
        current = release.current(merchant)
        still = f"The current release is still {current.release_id}." if current else "There is no release yet."
        out.print(f"[red]Nothing was published.[/red] {still} The run is {result.run_id}; see it with: zhongtai up")
        return False
    current = release.current(merchant)
    if current is None or current.run_id != result.run_id:
        out.print(f"Nothing new: the release stays {current.release_id if current else 'none'} ({seconds:.0f} s).")
        return True
    folder = merchant.releases / "current"
    rows = sum(table.rows for table in current.tables.values())
    out.print(
        f"[green]Published {current.release_id}[/green] as of {_utc(current.as_of)} in {seconds:.0f} s: "
        f"{len(current.tables)} tables, {rows:,} rows; checks: {current.checks.passed} passed, "
        f"{current.checks.warned} warned."
    )
    out.print(f'  tables   {folder / "zhongtai.duckdb"}   (any DuckDB client, or: zhongtai sql "…")', soft_wrap=True)
    out.print(f"  checks   {folder / 'checks' / 'report.html'}", soft_wrap=True)
    out.print(f"  columns  {folder / 'dictionary.html'}", soft_wrap=True)
    out.print("  the run  make up, then http://127.0.0.1:3000")
    _print_not_connected(current, out)
    return True


def _print_not_connected(manifest: Manifest, out: Console) -> None:
    """The silos that a release was made without."""
    missing = [silo for silo, state in manifest.silos.items() if state == "not connected"]
    if missing:
        out.print(f"  not connected: {', '.join(missing)}", soft_wrap=True)


def print_check(found: CheckResult, out: Console) -> None:
    """One check that did not pass: what must hold, what was found, some of the rows."""
    word, colour = ("FAILED", "red") if found.blocks else ("warning", "yellow")
    out.print(
        f"[{colour}]{word}[/{colour}] {found.schema_name}.{found.table}: {found.name}: {plain(found.description)}"
    )
    out.print(f"  {plain(found.message)}", soft_wrap=True)
    if found.blocks and found.samples:
        columns = list(found.samples[0])[:_SAMPLE_COLUMNS]
        table = Table(*columns, title_justify="left")
        for row in found.samples[:5]:
            table.add_row(*(plain(row.get(column)) for column in columns))
        out.print(table)


def print_status(merchant: Merchant, settings: Settings, out: Console) -> None:
    """Silos, tables, release, alert."""
    out.print(f"{merchant.title} ({merchant.name}), {merchant.currency}, {merchant.time_zone}")
    for silo, state in merchant.silo_states.items():
        out.print(f"  {silo:<18} {state}")
    _print_tables(merchant, settings, out)
    current = release.current(merchant)
    out.print(
        f"Release: {current.release_id}, as of {_utc(current.as_of)}"
        if current
        else "Release: none yet. Run: zhongtai run"
    )
    alert = alerts.latest(merchant)
    if alert:
        first_line = alert["message"].splitlines()[0] if alert["message"] else "failed"
        out.print(plain(f"Latest alert: {alert['at']}, run {alert['run_id']}, {alert['step']}: {first_line}"))
    if lock.is_held(merchant):
        out.print(lock.busy_message(merchant))


def _print_tables(merchant: Merchant, settings: Settings, out: Console) -> None:
    """What became of every table's rows."""
    totals = ledger.table_totals(ledger.read(merchant))
    table = Table("table", "files", "read", "loaded", "quarantined", "duplicate", "superseded", "erased", "state")
    for contract in load_contracts(settings.sources, sorted(merchant.silos)):
        counts = totals.get((contract.silo, contract.table))
        numbers = (counts or TableTotals()).model_dump(exclude={"files_rejected"}).values()
        state = "never arrived" if counts is None else ""
        if counts is not None and counts.files_rejected:
            state = f"[red]degraded[/red]: {counts.files_rejected:,} of {counts.files:,} files rejected"
        table.add_row(f"{contract.silo}.{contract.table}", *(f"{number:,}" for number in numbers), state)
    out.print(table)
    if any(counts.files_rejected for counts in totals.values()):
        out.print("Why files were rejected: zhongtai quarantine list. See docs/quarantine.md")


def print_releases(merchant: Merchant, out: Console) -> None:
    """Every release, newest first."""
    found = release.list_releases(merchant)
    if not found:
        out.print("No release yet. Run: zhongtai run")
        return
    current = release.current(merchant)
    table = Table("release", "as of", "tables", "rows", "checks", "current")
    for manifest in found:
        rows = sum(entry.rows for entry in manifest.tables.values())
        checks = f"{manifest.checks.passed} passed, {manifest.checks.warned} warned"
        mark = "yes" if current is not None and manifest.release_id == current.release_id else ""
        table.add_row(manifest.release_id, _utc(manifest.as_of), str(len(manifest.tables)), f"{rows:,}", checks, mark)
    out.print(table)


def print_release(merchant: Merchant, release_id: str, out: Console) -> None:
    """One release: its tables that have rows, and its sources."""
    manifest = release.get(merchant, release_id)
    out.print(f"{manifest.release_id} of {manifest.title}: as of {_utc(manifest.as_of)}, run {manifest.run_id}")
    _print_not_connected(manifest, out)
    table = Table("table", "rows", "columns", "content hash")
    for name, entry in manifest.tables.items():
        table.add_row(name, f"{entry.rows:,}", str(len(entry.columns)), entry.content_hash[:16])
    out.print(table)


def print_rows(result: Any, limit: int, out: Console) -> None:
    """A query's rows as a table."""
    rows = result.slice(0, limit)
    table = Table(*map(plain, rows.column_names))
    for row in rows.to_pylist():
        table.add_row(*("" if value is None else plain(value) for value in row.values()))
    out.print(table)
    if result.num_rows > limit:
        out.print(f"{limit} of {result.num_rows:,} rows; see more with --limit")


def print_drift(merchant: Merchant, settings: Settings, out: Console) -> bool:
    """What differs between the contracts and what last arrived; returns whether no contract has to change."""
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    findings = drift.check(merchant, contracts, datetime.now(UTC))
    for found in findings:
        colour = "red" if found.needs_change else "yellow"
        table = f" {found.table}:" if found.table else ":"
        out.print(f"[{colour}]{found.kind.replace('_', ' ')}[/{colour}]{table} {plain(found.message)}", soft_wrap=True)
        if found.suggestion:
            out.print(f"    {plain(found.suggestion)}", soft_wrap=True)
    needed = sum(found.needs_change for found in findings)
    tables = {found.table for found in findings if found.suggestion}
    if tables:
        out.print(f"The lines belong below 'columns' of the table in {settings.sources}/<silo>.yml.", soft_wrap=True)
    out.print(
        f"{len(contracts)} contracts, {len(findings)} findings, of which {needed} need a change of a contract or of "
        "the source. After a change: zhongtai quarantine replay SILO.TABLE"
        if findings
        else f"{len(contracts)} contracts: what last arrived is as they say."
    )
    return not needed


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _print_step_failures(result: dg.ExecuteInProcessResult, out: Console) -> None:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            message = data.user_failure_data.description if data.user_failure_data else None
            error = data.error.cause or data.error if data.error else None
            out.print(f"[red]FAILED[/red] {event.step_key}: {plain(message or (error.message if error else ''))}")
