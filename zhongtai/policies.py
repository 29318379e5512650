"""Policies: named thresholds that a business person may change, with the date from which they hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from zhongtai.errors import UsageError
from zhongtai.merchant import Merchant
from zhongtai.settings import Settings
from zhongtai.yamls import read_yaml

ALWAYS = date(1970, 1, 1)


class Definition(BaseModel):
    """One entry of `merchants/policies.yml`.

    Attributes:
        value: a number, a list of numbers, or a list of {value, effective_from} that changes it over time.
        lengths: how many numbers a list may have, where that matters.
        minimum, maximum: bounds of every number.
    """

    model_config = ConfigDict(extra="forbid")

    value: Any
    unit: str
    description: str
    lengths: tuple[int, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


class PolicyValue(BaseModel):
    """One number of a policy, as the table `dim_policies` has it.

    Attributes:
        position: 1, or the place in a policy that is a list; 0 says that the list is empty from a date on.
        value: None at position 0 only.
        source: default or merchant.
    """

    policy: str
    position: int
    value: float | None
    unit: str
    description: str
    effective_from: date
    source: str


def load(merchant: Merchant, settings: Settings) -> list[PolicyValue]:
    """Every policy with the merchant's overrides, in the order of the file.

    Raises:
        UsageError: names the file, the policy and what is wrong with it.
    """
    file = settings.project / "merchants" / "policies.yml"
    definitions = _definitions(file)
    unknown = set(merchant.policies) - set(definitions)
    if unknown:
        raise UsageError(f"{merchant.file}: policies: '{min(unknown)}' is not one of those in {file}")
    values = []
    for name, definition in definitions.items():
        values += _values(name, definition, definition.value, "default", file)
        if name in merchant.policies:
            override = _values(name, definition, merchant.policies[name], "merchant", merchant.file)
            values = [known for known in values if known.policy != name or not _replaced(known, override)]
            values += override
    return values


def as_mapping(values: list[PolicyValue], as_of_date: date) -> dict[str, float | list[float]]:
    """What holds on a date, by name, for a release's manifest; a list where a policy has several numbers."""
    dates: dict[str, date] = {}
    for value in values:
        if value.effective_from <= as_of_date:
            dates[value.policy] = max(value.effective_from, dates.get(value.policy, ALWAYS))
    holding: dict[str, list[float]] = {}
    for value in values:
        if value.effective_from == dates.get(value.policy) and value.value is not None:
            holding.setdefault(value.policy, []).append(value.value)
    return {name: found[0] if len(found) == 1 else found for name, found in holding.items()}


def _definitions(file: Path) -> dict[str, Definition]:
    content = read_yaml(file)
    definitions = {}
    for name, entry in content.items():
        try:
            definitions[name] = Definition.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(f"{file}: {name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return definitions


def _values(name: str, definition: Definition, given: Any, source: str, file: Path) -> list[PolicyValue]:
    dated = isinstance(given, list) and any(isinstance(item, dict) for item in given)
    entries = given if dated else [{"value": given}]
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) - {"value", "effective_from"} or "value" not in entry:
            raise UsageError(f"{file}: {name}: a dated value is {{value: …, effective_from: YYYY-MM-DD}}, not {entry}")
        since = entry.get("effective_from", ALWAYS)
        if not isinstance(since, date):
            raise UsageError(f"{file}: {name}: effective_from '{since}' is not a date (YYYY-MM-DD)")
        numbers = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
        _check(name, definition, numbers, file)
        # Without a row an empty list would leave the one before it in force.
        ended = [(0, None)] if not numbers and since != ALWAYS else []
        for position, number in [*enumerate(numbers, start=1), *ended]:
            found.append(
                PolicyValue(
                    policy=name,
                    position=position,
                    value=number,
                    unit=definition.unit,
                    description=definition.description,
                    effective_from=since,
                    source=source,
                )
            )
    return found


def _check(name: str, definition: Definition, numbers: list[Any], file: Path) -> None:
    if definition.lengths and len(numbers) not in definition.lengths:
        wanted = " or ".join(map(str, definition.lengths))
        raise UsageError(f"{file}: {name}: has {len(numbers)} values; it takes {wanted}")
    if not definition.lengths and len(numbers) != 1:
        raise UsageError(f"{file}: {name}: takes one value, not {len(numbers)}")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UsageError(f"{file}: {name}: '{number}' is not a number")
        if definition.minimum is not None and number < definition.minimum:
            raise UsageError(f"{file}: {name}: {number} is below {definition.minimum:g} {definition.unit}")
        if definition.maximum is not None and number > definition.maximum:
            raise UsageError(f"{file}: {name}: {number} is above {definition.maximum:g} {definition.unit}")
    if numbers != sorted(numbers):
        raise UsageError(f"{file}: {name}: {numbers} is not ascending")


def _replaced(known: PolicyValue, override: list[PolicyValue]) -> bool:
    """Whether an override takes the place of a default: from its own date on; before it the default holds."""
    return known.effective_from >= min((value.effective_from for value in override), default=ALWAYS)
