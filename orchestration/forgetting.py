"""`zhongtai forget`: erase, run, remove the releases before, search, and say so."""

from __future__ import annotations

import sys
from datetime import timedelta

import typer
from rich.console import Console
from rich.table import Table

from orchestration import runner
from orchestration.printing import printed_progress
from zhongtai import lock, policies, release
from zhongtai.erasure import erase, search
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


def forget(merchant: Merchant, settings: Settings, person: Start, *, dry_run: bool, yes: bool, out: Console) -> bool:
    """Erases, publishes without the person and searches.

    Returns:
        Whether nothing was found afterwards.
    """

    def confirmed(plan: Plan) -> bool:
        _print_plan(plan, out)
        if dry_run:
            out.print("Nothing was erased: this was a dry run.")
        return not dry_run and (yes or typer.confirm("Erase this for good?"))

    sys.argv[1:] = ["forget"]  # dbt writes the command line into its results
    contracts = load_contracts(settings.sources, sorted(merchant.silos))
    holding = policies.in_force(policies.load(merchant, settings), release.as_of_date(merchant))
    limit = policies.number(holding, "identity_holders_limit")
    with lock.hold(merchant, "forget"), printed_progress(out):
        done = erase.forget(merchant, contracts, person, int(limit), confirmed)
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
    return is_published and not any(place.found for place in places)


def _print_plan(plan: Plan, out: Console) -> None:
    kinds = ", ".join(f"{number} {kind}" for kind, number in plan.identities.items())
    out.print(f"The person is known by {kinds}.")
    table = Table("table", "files", "records", "values in others' records", "unreadable files", box=None)
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
    out.print(f"Searched for {len(needles.texts)} identities and tokens of the person:")
    for place in places:
        out.print(f"  {place.name}: {place.files:,} files, found in {len(place.found)}")
        for file in place.found[:_SHOWN]:
            out.print(f"    {file}", soft_wrap=True)
    if left := len(plan.needles) - len(needles.texts):
        out.print(f"{left} identities are shorter than {search.LEAST_CHARACTERS} characters: not searched for as text.")
    if plan.sources:
        out.print(
            f"{len(plan.sources)} files of the silos still hold the person. These contents do not land again, but what "
            "the silo writes anew would: erase the person there, too."
        )
        for source in plan.sources[:_SHOWN]:
            out.print(f"    {source}", soft_wrap=True)
