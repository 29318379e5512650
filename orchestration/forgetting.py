"""`zhongtai forget`: erase, run, remove the releases before, search, and say so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from orchestration import runner
from orchestration.printing import printed_progress
from zhongtai import lock, policies, release
from zhongtai.erasure import erase, erasures, search
from zhongtai.erasure.erase import Plan
from zhongtai.erasure.person import Start
from zhongtai.errors import UsageError
from zhongtai.ingest.contract import load_contracts
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings

_SHOWN = 10


def start(persons: list[str], phones: list[str], emails: list[str]) -> Start:
    """What the command was given.

    Raises:
        UsageError: nothing, or an identity without its silo.
    """
    if not persons and not phones and not emails:
        raise UsageError("Whom? Give --person SILO:ID, --phone or --email.")
    pairs = []
    for text in persons:
        silo, colon, value = text.partition(":")
        if not (silo and colon and value):
            raise UsageError(f"--person '{text}' names no silo. Give for example storefront:U0001234.")
        pairs.append((silo, value))
    return Start(tuple(pairs), tuple(phones), tuple(emails))


def forget(
    merchant: Merchant,
    settings: Settings,
    person: Start,
    *,
    dry_run: bool,
    yes: bool,
    also_doubtful: bool,
    out: Console,
) -> bool:
    """Erases, publishes without the person and searches.

    Returns:
        Whether everything was searched afterwards, and nothing found.

    Raises:
        UsageError: as `erase.forget` does, or everything that there is of the person is doubtful.
    """

    is_begun = bool(erasures.begun(merchant))

    def confirmed(plan: Plan) -> bool:
        _print_plan(plan, out)
        _print_doubtful(plan, out)
        if not plan.tables and is_begun:
            out.print("The landed files are without the person already; what an earlier call began is finished now.")
            return not dry_run
        if not plan.tables:
            raise UsageError("Nothing was erased: see above what to do first.")
        if dry_run:
            out.print("Nothing was erased: this was a dry run.")
        return not dry_run and (yes or typer.confirm("Erase this for good?"))

    sys.argv[1:] = ["forget"]  # dbt writes the command line into its results
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    holding = policies.in_force(policies.load(merchant, settings), release.as_of_date(merchant))
    limit = policies.number(holding, "identity_holders_limit")
    with lock.hold(merchant, "forget"), printed_progress(out):
        done = erase.forget(merchant, contracts, person, int(limit), confirmed, also_doubtful=also_doubtful)
    if done is None:
        return True
    is_published = runner.run(merchant, settings, runner.Asked(), out)
    if is_published:
        # Whoever has an earlier release open keeps reading it; nobody opens it again.
        removed = release.prune(merchant, keep=1, grace=timedelta(0)).removed
        out.print(f"Removed {len(removed)} earlier releases.")
    needles = search.Needles(done.needles)
    places = search.search(merchant, needles, {"dagster": settings.dagster_home})
    _print_search(done, needles, places, out)
    if is_published:
        erase.finish(merchant)
    return is_published and not any(place.found or place.unsearched for place in places)


def _print_plan(plan: Plan, out: Console) -> None:
    kinds = ", ".join(f"{number} {kind}" for kind, number in plan.identities.items())
    out.print(f"The person is known by {kinds}.")
    table = Table("table", "files", "records", "values in other records", "unreadable files", box=None)
    for (silo, name), one in sorted(plan.tables.items()):
        table.add_row(
            f"{silo}.{name}", *(f"{number:,}" for number in (one.files, one.rows, one.blanked, one.whole_files))
        )
    out.print(table)
    files = sum(one.files + one.whole_files for one in plan.tables.values())
    out.print(f"{plan.rows:,} records in {files:,} landed files.")
    if plan.others:
        more = f" and {len(plan.others) - _SHOWN} more" if len(plan.others) > _SHOWN else ""
        out.print(
            "These have one of the person's phones or addresses, and are told apart by an account, a card or a union "
            f"id of their own: {', '.join(plan.others[:_SHOWN])}{more}. They stay, and so does what has nothing but "
            "what they share. If one is the same person, name it as well: --person SILO:ID",
            soft_wrap=True,
        )


def _print_search(plan: Plan, needles: search.Needles, places: list[search.Place], out: Console) -> None:
    out.print(f"Searched for {len(needles.texts)} identities, spellings and tokens of the person:")
    for place in places:
        out.print(f"  {place.name}: {place.files:,} files, found in {len(place.found)}")
        _print_files(place.found, out)
        if place.unsearched:
            where = "see below" if place.name == "landing" else "remove what is not needed"
            out.print(f"    could not be searched to their end: {len(place.unsearched):,} files ({where})")
            _print_files(place.unsearched, out)
    _print_doubtful(plan, out)
    if any(place.found for place in places) and not plan.doubtful and not plan.unsearched:
        out.print("Run the same command again: it names the columns and files, and what to do.")
    if left := len(plan.needles) - len(needles.texts):
        out.print(f"{left} identities are shorter than {search.LEAST_CHARACTERS} characters: not searched for as text.")
    if plan.sources:
        out.print(
            f"{len(plan.sources)} files of the silos still hold the person. These contents do not land again, but what "
            "the silo writes anew would: erase the person there, too."
        )
        _print_files(plan.sources, out)


def _print_doubtful(plan: Plan, out: Console) -> None:
    """What stays because it may be another thing's, and what to do about it."""
    if plan.doubtful:
        out.print("These columns have values like the person's, which may be another thing's. They stay:")
    for one in plan.doubtful:
        count = f"records: {one.records:,}, landed files: {len(one.files):,}"
        out.print(f"  {one.table}, column '{one.column}' ({count})", markup=False)
        _print_files(one.files, out)
        if one.line:
            out.print(f"    If it names persons, put into {one.yaml_file}:", soft_wrap=True, markup=False)
            out.print(f"      {one.line}", soft_wrap=True, markup=False)
        else:
            out.print("    If it is the person's, name what stands there as well: --person SILO:ID")
    if plan.unsearched:
        out.print(
            "Landed files that cannot be read to their end, or hold the person outside of their records (in another "
            f"sheet, in a head): {len(plan.unsearched):,}. They stay:",
            soft_wrap=True,
        )
        _print_files(plan.unsearched, out)
    if plan.doubtful or plan.unsearched:
        out.print(
            "Then run the same command again. With --also-doubtful it empties them as they are: these values, but for "
            "keys and other ids, and these files. Look at them before: what is another's may stay.",
            soft_wrap=True,
        )


def _print_files(files: Sequence[Path], out: Console) -> None:
    for file in files[:_SHOWN]:
        out.print(f"    {file}", soft_wrap=True, markup=False)
    if len(files) > _SHOWN:
        out.print(f"    and {len(files) - _SHOWN:,} more")
