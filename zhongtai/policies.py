"""Policies: named thresholds that a business person may change, with the date from which they hold."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zhongtai.errors import UsageError
from zhongtai.merchant import Merchant
from zhongtai.policy_checks import Check, wrong_beside, wrong_value
from zhongtai.settings import Settings
from zhongtai.yamls import read_yaml

# The beginning: a value without a date holds from here on.
ALWAYS = date(1970, 1, 1)


class Definition(BaseModel):
    """One entry of `merchants/policies.yml`.

    Attributes:
        value: a number, a list of numbers, or a list of {value, effective_from} that changes it over time.
        name_zh: the Chinese name.
        positions: what the numbers of a list stand for, in their order.
        check: what the numbers must be.
    """

    model_config = ConfigDict(extra="forbid")

    value: Any
    unit: str
    name_zh: str
    description: str
    positions: tuple[str, ...] = ()
    check: Check = Field(default_factory=Check)

    @model_validator(mode="after")
    def _as_long_as_its_positions(self) -> Definition:
        if self.positions:
            self.check.lengths = (len(self.positions),)
        return self


class PolicyValue(BaseModel):
    """One number of a policy, as the table `dim_policies` has it.

    Attributes:
        position: 1, or the place in a policy that is a list; 0 says that the list is empty.
        position_name: what the place stands for, None where the list does not say or there is one number.
        value: None at position 0 only.
        source: default or merchant.
    """

    policy: str
    policy_name_zh: str
    position: int
    position_name: str | None
    value: float | None
    unit: str
    description: str
    effective_from: date
    source: str


class PolicyInForce(BaseModel):
    """What a policy says on a date, as a release's manifest has it.

    Attributes:
        value: a list for a policy of several numbers; an empty one where it says none.
        since: the date from which it holds; None in the manifests of releases that did not tell.
        source: default or merchant.
    """

    value: float | list[float]
    unit: str = ""
    since: date | None = None
    source: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_release(cls, given: Any) -> Any:
        """Manifests used to have the bare value."""
        return {"value": given} if isinstance(given, int | float | list) else given


def load(merchant: Merchant, settings: Settings) -> list[PolicyValue]:
    """Every policy with the merchant's overrides, in the order of the file.

    Raises:
        UsageError: names the file, the policy and what is wrong with it.
    """
    file = settings.project / "merchants" / "policies.yml"
    definitions = _definitions(file)
    for name in merchant.policies:
        _must_exist(name, definitions, f"{merchant.file}: policies", file)
    values: dict[str, list[PolicyValue]] = {}
    for name, definition in definitions.items():
        values[name] = _values(name, definition, definition.value, "default", file)
        if values[name][0].effective_from != ALWAYS:
            raise UsageError(f"{file}: {name}: nothing holds at the beginning; give a value without effective_from")
        if name in merchant.policies:
            override = _values(name, definition, merchant.policies[name], "merchant", merchant.file)
            kept = [known for known in values[name] if known.effective_from < override[0].effective_from]
            values[name] = kept + override
    for name, definition in definitions.items():
        for other in definition.check.others:
            _must_exist(other, definitions, f"{file}: {name}: check", file)
            _compare(name, definition.check, other, values, {"default": file, "merchant": merchant.file})
    return [value for of_policy in values.values() for value in of_policy]


def in_force(values: Sequence[PolicyValue], day: date | None) -> dict[str, PolicyInForce]:
    """What holds on a date (None for the latest), by name and in the order of `values`."""
    day = day or date.max
    by_policy: dict[str, list[PolicyValue]] = {}
    for value in values:
        by_policy.setdefault(value.policy, []).append(value)
    found = {}
    for name, of_policy in by_policy.items():
        holding = _holding(of_policy, day)
        if holding:
            numbers = _numbers(holding)
            found[name] = PolicyInForce(
                value=numbers[0] if len(numbers) == 1 else numbers,
                unit=holding[0].unit,
                since=holding[0].effective_from,
                source=holding[0].source,
            )
    return found


def number(holding: Mapping[str, PolicyInForce], name: str) -> float:
    """The value of a policy of one number, for Python; SQL reads `dim_policies`."""
    value = holding[name].value
    if isinstance(value, list):
        raise TypeError(f"{name} is a policy of {len(value)} numbers")
    return value


def _definitions(file: Path) -> dict[str, Definition]:
    try:
        content = read_yaml(file)
    except yaml.YAMLError as error:
        raise UsageError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file}: it is a mapping of policies; see docs/policies.md")
    definitions = {}
    for name, entry in content.items():
        try:
            definitions[name] = Definition.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "entry"
            raise UsageError(f"{file}: {name}: {where}: {first['msg']}; see the head of the file") from error
    return definitions


def _values(name: str, definition: Definition, given: Any, source: str, file: Path) -> list[PolicyValue]:
    is_dated = isinstance(given, list) and any(isinstance(item, dict) for item in given)
    entries = given if is_dated else [given] if isinstance(given, dict) else [{"value": given}]
    found: list[PolicyValue] = []
    before: date | None = None
    for entry in entries:
        since = _since(entry, f"{file}: {name}")
        if before is not None and since <= before:
            when = "from the beginning" if since == ALWAYS else f"from {since}"
            what = f"two values hold {when}" if since == before else f"a value {when} stands after one from {before}"
            raise UsageError(f"{file}: {name}: {what}; give every value a later effective_from than the one before it")
        before = since
        numbers = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
        if wrong := wrong_value(definition.check, definition.unit, numbers):
            raise UsageError(f"{file}: {name}: {wrong}")
        # Without a row an empty list would leave the one before it in force, or not be seen at all.
        empty = [] if numbers else [(0, None)]
        for position, number in [*enumerate(numbers, start=1), *empty]:
            found.append(
                PolicyValue(
                    policy=name,
                    policy_name_zh=definition.name_zh,
                    position=position,
                    position_name=definition.positions[position - 1] if definition.positions else None,
                    value=number,
                    unit=definition.unit,
                    description=definition.description,
                    effective_from=since,
                    source=source,
                )
            )
    return found


def _since(entry: Any, where: str) -> date:
    """The date of effect of an entry of a dated list."""
    if not isinstance(entry, dict) or set(entry) - {"value", "effective_from"} or "value" not in entry:
        raise UsageError(f"{where}: a dated value is {{value: …, effective_from: YYYY-MM-DD}}, not {entry}")
    since = entry.get("effective_from", ALWAYS)
    if not isinstance(since, date) or isinstance(since, datetime):
        raise UsageError(f"{where}: effective_from '{since}' is not a date (YYYY-MM-DD)")
    if since < ALWAYS:
        raise UsageError(f"{where}: effective_from {since} is before the beginning, {ALWAYS}; leave it out")
    return since


def _compare(
    name: str, check: Check, other: str, values: Mapping[str, list[PolicyValue]], files: Mapping[str, Path]
) -> None:
    """Holds a policy against another one on every day on which either changes."""
    for day in sorted({value.effective_from for value in values[name] + values[other]}):
        holding, others = _holding(values[name], day), _holding(values[other], day)
        if wrong := wrong_beside(check, other, _numbers(holding), _numbers(others)):
            sources = {value.source for value in holding + others}
            file = files["merchant" if "merchant" in sources else "default"]
            when = "" if day == ALWAYS else f", from {day} on"
            raise UsageError(f"{file}: {name}: {wrong}{when}")


def _holding(values: Sequence[PolicyValue], day: date) -> list[PolicyValue]:
    """Of one policy's values those that hold on a day."""
    since = max((value.effective_from for value in values if value.effective_from <= day), default=None)
    return [value for value in values if value.effective_from == since]


def _numbers(values: Sequence[PolicyValue]) -> list[float]:
    return [value.value for value in values if value.value is not None]


def _must_exist(name: str, definitions: Mapping[str, Definition], where: str, file: Path) -> None:
    if name in definitions:
        return
    near = difflib.get_close_matches(name, definitions, n=1, cutoff=0.5)
    meant = f"Did you mean '{near[0]}'? " if near else ""
    raise UsageError(f"{where}: there is no policy '{name}'. {meant}All of them are in {file}")
