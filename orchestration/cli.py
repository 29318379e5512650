"""`zhongtai`: the one entry point. Heavy libraries are imported only where a command needs them."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zhongtai import settings as settings_module
from zhongtai.errors import UsageError, ZhongtaiError
from zhongtai.merchant import load

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Zhongtai 中台: from silos to a validated release.",
)


class Scale(StrEnum):
    """Sizes of a simulated company."""

    XS = "xs"
    S = "s"
    M = "m"
    L = "l"


releases_app = typer.Typer(help="List, inspect, roll back and prune releases.", invoke_without_command=True)
quarantine_app = typer.Typer(help="Rows that their contract rejected, and why.", invoke_without_command=True)
sources_app = typer.Typer(help="Contracts of the silos' tables against what arrives.", no_args_is_help=True)
app.add_typer(sources_app, name="sources")
app.add_typer(releases_app, name="releases")
app.add_typer(quarantine_app, name="quarantine")

MerchantOption = Annotated[
    str | None, typer.Option("--merchant", "-m", help="Merchant file in merchants/, without .yml.", show_default=False)
]
# Tables keep their columns where no terminal limits them: in a pipe, a log, a test.
_WIDTH = None if sys.stdout.isatty() else 160
out = Console(highlight=False, width=_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def main() -> None:
    """Runs a command; errors that a user can act on are one message and an exit code."""
    settings_module.load()
    try:
        app()
    except UsageError as error:
        err.print(f"[red]{_escaped(error)}[/red]")
        sys.exit(2)
    except ZhongtaiError as error:
        err.print(f"[red]{_escaped(error)}[/red]")
        sys.exit(1)


@app.command()
def simulate(
    scale: Annotated[Scale, typer.Option(help="xs for tests, s for a look, m and l for measurements.")] = Scale.S,
    seed: Annotated[int, typer.Option(help="Another seed plants other answers.", min=0)] = 7,
    merchant: Annotated[str, typer.Option("--merchant", "-m", help="Whose silos are made.")] = "qinghe",
) -> None:
    """Makes the files of all ten silos of a company whose truth is known."""
    from orchestration.printing import printed_progress
    from zhongtai.simulator import simulate as simulator

    chosen = load(merchant)
    summary = simulator.simulated(chosen.home)
    if summary is None or (summary.scale, summary.seed) != (scale.value, seed):
        with printed_progress(out):
            summary = simulator.simulate(chosen.home, scale.value, seed)
    out.print(
        f"{chosen.title}: {sum(summary.files.values()):,} files with {sum(summary.rows.values()):,} rows, "
        f"{summary.first_date} to {summary.last_date}, in {chosen.home / 'silos'}. "
        f"Next: zhongtai run --merchant {chosen.name}",
        soft_wrap=True,
    )


@app.command()
def run(
    merchant: MerchantOption = None,
    as_of: Annotated[str | None, typer.Option(help="Compute for this moment (ISO 8601, UTC unless it says).")] = None,
    known_at: Annotated[int | None, typer.Option(help="Know only files up to this landing position.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build every table from the ground.")] = False,
    rebuild: Annotated[str | None, typer.Option(metavar="FROM..TO", help="Build these business dates again.")] = None,
) -> None:
    """Runs everything from silo to release, and publishes if every blocking check passes."""
    from orchestration import runner

    chosen = load(merchant)
    if as_of is not None:
        as_of = _moment(as_of)
    asked = runner.Asked(as_of, known_at, full_refresh, rebuild)
    outcome = runner.run(chosen, settings_module.load(), asked, out)
    if not outcome:
        raise typer.Exit(1)


@app.command()
def extract(
    silo: Annotated[str | None, typer.Option(help="Only this silo.", show_default=False)] = None,
    merchant: MerchantOption = None,
) -> None:
    """Asks databases and interfaces for what is new, and writes it into the silos' folders."""
    from orchestration import runner

    if not runner.extract(load(merchant), settings_module.load(), silo, out):
        raise typer.Exit(1)


@app.command()
def status(merchant: MerchantOption = None) -> None:
    """Shows the silos, what landed of each table, the current release and the latest alert."""
    from orchestration import summaries

    summaries.print_status(load(merchant), settings_module.load(), out)


@app.command()
def policies(
    on: Annotated[
        datetime | None,
        typer.Option(help="The day to show; by default the current release's.", formats=["%Y-%m-%d"]),
    ] = None,
    merchant: MerchantOption = None,
) -> None:
    """Shows every policy: the value that holds, its unit, since when, and whether the merchant overrides it."""
    from orchestration import policy_table

    policy_table.print_policies(load(merchant), settings_module.load(), on.date() if on else None, out)


@app.command()
def docs(
    lineage: Annotated[bool, typer.Option("--lineage", help="Build dbt's docs with the lineage graph.")] = False,
    release: Annotated[str, typer.Option(help="Release id, a unique prefix of it, or current.")] = "current",
    merchant: MerchantOption = None,
) -> None:
    """Prints where a release's data dictionary is: tables, columns, keys, lineage, policies, freshness."""
    from orchestration import documentation

    documentation.print_places(load(merchant), settings_module.load(), release, lineage=lineage, out=out)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A query over schemas unified and marts.")],
    merchant: MerchantOption = None,
    release: Annotated[str, typer.Option(help="Release id, a unique prefix of it, or current.")] = "current",
    limit: Annotated[int, typer.Option(help="Rows shown.", min=1)] = 50,
) -> None:
    """Asks the current release; it is opened read-only."""
    from orchestration import summaries
    from zhongtai import release as releases

    summaries.print_rows(releases.query(load(merchant), query, release), limit, out)


@app.command()
def key() -> None:
    """Prints a fresh key for the tokens of personal data: zhongtai key > FILE."""
    from zhongtai.ingest import personal_key

    if sys.stdout.isatty():
        err.print("Keep it in a file: zhongtai key > FILE")
    else:
        personal_key.make_private(sys.stdout.fileno())
    sys.stdout.write(personal_key.new_key() + "\n")
    err.print(
        "Name its file in the merchant's file (personal_key_file: FILE) or in ZHONGTAI_PERSONAL_KEY_FILE, outside the "
        "data folder, and keep a copy apart from the data's backups. See docs/personal-data.md."
    )


@app.command()
def forget(
    person: Annotated[
        list[str] | None, typer.Option(help="SILO:ID of an account, buyer, contact or card.", show_default=False)
    ] = None,
    phone: Annotated[list[str] | None, typer.Option(help="A phone of the person.", show_default=False)] = None,
    email: Annotated[list[str] | None, typer.Option(help="An e-mail address.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")] = False,
    also_doubtful: Annotated[
        bool,
        typer.Option("--also-doubtful", help="Also empty values and files that may be another's."),
    ] = False,
    merchant: MerchantOption = None,
) -> None:
    """Erases a person from landing and all that follows, publishes without, and proves it by searching."""
    from orchestration import forgetting

    start = forgetting.start(person or [], phone or [], email or [])
    is_gone = forgetting.forget(
        load(merchant),
        settings_module.load(),
        start,
        dry_run=dry_run,
        yes=yes,
        also_doubtful=also_doubtful,
        out=out,
    )
    if not is_gone:
        raise typer.Exit(1)


@app.command()
def up(
    merchant: MerchantOption = None,
    port: Annotated[int, typer.Option(help="Port of the UI on this machine.")] = 3000,
) -> None:
    """Serves the Dagster UI and runs its daemon: schedule, sensor and runs started from the UI."""
    from orchestration import runner

    runner.serve(load(merchant), settings_module.load(), port, out)


@releases_app.callback()
def releases_default(context: typer.Context, merchant: MerchantOption = None) -> None:
    """Lists the releases unless a command is given."""
    if context.invoked_subcommand is None:
        releases_list(merchant)


@releases_app.command("list")
def releases_list(merchant: MerchantOption = None) -> None:
    """Lists the releases, newest first; the current one is marked."""
    from orchestration import summaries

    summaries.print_releases(load(merchant), out)


@releases_app.command("show")
def releases_show(
    release: Annotated[str, typer.Argument(help="Release id, a unique prefix of it, or current.")] = "current",
    merchant: MerchantOption = None,
) -> None:
    """Shows a release's tables, sources and checks."""
    from orchestration import summaries

    summaries.print_release(load(merchant), release, out)


@releases_app.command("rollback")
def releases_rollback(
    release: Annotated[str | None, typer.Argument(help="Where to; by default the one before the current.")] = None,
    merchant: MerchantOption = None,
) -> None:
    """Makes an earlier release the current one; readers that have one open keep it."""
    from zhongtai import release as releases

    manifest = releases.rollback(load(merchant), release)
    out.print(f"The current release is now {manifest.release_id}. To go forward again: zhongtai releases rollback ID")


@releases_app.command("prune")
def releases_prune(
    keep: Annotated[int, typer.Option(help="Newest releases to keep.", min=1)] = 7,
    grace_hours: Annotated[float, typer.Option(help="Keep what was current within so many hours.", min=0)] = 24,
    merchant: MerchantOption = None,
) -> None:
    """Removes old releases, never the current one."""
    from zhongtai import release as releases

    removed = releases.prune(load(merchant), keep, timedelta(hours=grace_hours)).removed
    out.print(f"Removed {len(removed)}: {', '.join(removed)}" if removed else "Nothing to remove.")


@releases_app.command("relocate")
def releases_relocate(merchant: MerchantOption = None) -> None:
    """Makes releases readable again after the data folder was moved."""
    from zhongtai import release as releases

    releases.relocate(load(merchant))
    out.print("The releases' views point to this folder now.")


@quarantine_app.callback()
def quarantine_default(context: typer.Context, merchant: MerchantOption = None) -> None:
    """Lists the files with rejected rows unless a command is given."""
    if context.invoked_subcommand is None:
        quarantine_list(merchant)


@quarantine_app.command("list")
def quarantine_list(merchant: MerchantOption = None) -> None:
    """Lists the files with rejected rows, and the reasons."""
    from orchestration import mending

    mending.print_files(load(merchant), out)


@quarantine_app.command("show")
def quarantine_show(
    table: Annotated[str, typer.Argument(help="silo.table")],
    limit: Annotated[int, typer.Option(help="Rows shown.", min=1)] = 20,
    merchant: MerchantOption = None,
) -> None:
    """Shows rejected rows with file, row, line, byte, column and reason."""
    from orchestration import mending

    mending.print_rows(load(merchant), table, limit, out)


@quarantine_app.command("export")
def quarantine_export(
    table: Annotated[str, typer.Argument(help="silo.table")],
    to: Annotated[Path, typer.Option("--to", help="FILE.csv, or FILE.xlsx, which keeps leading zeros.")],
    merchant: MerchantOption = None,
) -> None:
    """Writes the rejected rows as they came, to be mended in a spreadsheet; personal data are not masked."""
    from orchestration import mending

    mending.export(load(merchant), table, to, out)


@quarantine_app.command("replay")
def quarantine_replay(
    table: Annotated[str, typer.Argument(help="silo.table")],
    file: Annotated[Path | None, typer.Argument(help="The mended export.", show_default=False)] = None,
    merchant: MerchantOption = None,
) -> None:
    """Loads rejected rows after all: by the contract as it is now, or mended ones from FILE, once."""
    from orchestration import mending

    if not mending.replay_rows(load(merchant), table, file, out):
        raise typer.Exit(1)


@sources_app.callback()
def sources() -> None:
    """Contracts of the silos' tables against what arrives."""


@sources_app.command("check")
def sources_check(merchant: MerchantOption = None) -> None:
    """Compares every contract with the file that last arrived, and says what to change; 1 where something must be."""
    from orchestration import summaries

    if not summaries.print_drift(load(merchant), settings_module.load(), out):
        raise typer.Exit(1)


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UsageError(f"--as-of '{text}' is no moment. Give for example 2017-06-30 or 2017-06-30T18:00.") from error


def _escaped(error: Exception) -> str:

    from orchestration.printing import plain

    return plain(error)


if __name__ == "__main__":
    main()
