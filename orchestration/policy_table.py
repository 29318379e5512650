"""What `zhongtai policies` prints: every policy with what holds, since when, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from rich.console import Console
from rich.table import Table

from orchestration.printing import plain
from zhongtai import policies, release
from zhongtai.merchant import Merchant
from zhongtai.policies import ALWAYS, PolicyInForce, PolicyValue
from zhongtai.release.manifest import Manifest
from zhongtai.settings import Settings


def print_policies(merchant: Merchant, settings: Settings, day: date | None, out: Console) -> None:
    """The policies that hold on a day, by default that of the current release's as_of; what changes later; what waits.

    Raises:
        UsageError: a policy is wrong; says which and why.
    """
    values = policies.load(merchant, settings)
    current = release.current(merchant)
    released_day = release.as_of_date(merchant)
    shown_day = day or released_day or max(value.effective_from for value in values)
    holding = policies.in_force(values, shown_day)
    out.print(_heading(merchant, day, released_day, current), soft_wrap=True)
    out.print(_table(values, holding))
    for value in values:
        if value.effective_from > shown_day and value.position <= 1:
            new = policies.in_force(values, value.effective_from)[value.policy]
            out.print(f"{value.policy} becomes {_shown(new)} {plain(value.unit)} on {value.effective_from}.")
    if current and released_day:
        _print_waiting(current, policies.in_force(values, released_day), out)
    out.print(f"To change one: policies: in {merchant.file}. See docs/policies.md", soft_wrap=True)


def _heading(merchant: Merchant, day: date | None, released_day: date | None, current: Manifest | None) -> str:
    if day is not None:
        return f"{merchant.title}: policies on {day}"
    if current is not None:
        return f"{merchant.title}: policies on {released_day}, as of release {current.release_id}"
    return f"{merchant.title}: the latest policies; there is no release yet"


def _table(values: list[PolicyValue], holding: Mapping[str, PolicyInForce]) -> Table:
    descriptions = {value.policy: value.description for value in values}
    table = Table("policy", "value", "unit", "since", "from", "description")
    for name, policy in holding.items():
        since = "always" if policy.since == ALWAYS else str(policy.since)
        source = "[green]merchant[/green]" if policy.source == "merchant" else policy.source
        table.add_row(name, _shown(policy), plain(policy.unit), since, source, plain(descriptions[name]))
    return table


def _print_waiting(current: Manifest, holding: Mapping[str, PolicyInForce], out: Console) -> None:
    """Names what was changed after the release was made."""
    changed = [
        name
        for name, policy in holding.items()
        if name not in current.policies or current.policies[name].value != policy.value
    ]
    if changed:
        out.print(
            f"[yellow]Not in release {current.release_id} yet[/yellow]: {', '.join(changed)}. Next: zhongtai run",
            soft_wrap=True,
        )


def _shown(policy: PolicyInForce) -> str:
    numbers = policy.value if isinstance(policy.value, list) else [policy.value]
    return ", ".join(f"{number:.10g}" for number in numbers) or "none"
