"""What a policy's value must be, and what a wrong one says: the `check` of an entry of `merchants/policies.yml`."""

from __future__ import annotations

import math
import operator
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

# Weights are written with a few decimals; what is left beyond is floating point.
_SUM_TOLERANCE = 1e-6
# Quantiles are written with a few decimals, too.
_QUANTILE_TOLERANCE = 0.005


class Check(BaseModel):
    """What the values of a policy must be.

    Attributes:
        lengths: how many numbers a list may have; empty for a policy of one number.
        less_than, more_than: bounds that a number does not reach; a name is another policy.
        first: what a list begins with, as the level that everybody has.
        quantiles_of: the policy of probabilities whose quantiles of the normal distribution the values are.
    """

    model_config = ConfigDict(extra="forbid")

    integer: bool = False
    minimum: float | None = None
    maximum: float | None = None
    less_than: float | str | None = None
    more_than: float | str | None = None
    lengths: tuple[int, ...] = ()
    order: Literal["ascending", "descending"] | None = None
    first: float | None = None
    sum: float | None = None
    quantiles_of: str | None = None

    @property
    def others(self) -> list[str]:
        """The policies with which the values are compared."""
        found = (self.less_than, self.more_than, self.quantiles_of)
        return [name for name in found if isinstance(name, str)]


def wrong_value(check: Check, unit: str, numbers: list[Any]) -> str | None:
    """What is wrong with a value by itself, and what to do; None where nothing is."""
    if wrong := _wrong_count(check, numbers):
        return wrong
    for number in numbers:
        if wrong := _wrong_number(check, unit, number):
            return wrong
    if check.order and any(not _is_ordered(check.order, *pair) for pair in pairwise(numbers)):
        than = "greater" if check.order == "ascending" else "less"
        return f"{_shown(numbers)} is not {check.order}: give every value {than} than the one before it"
    if check.first is not None and numbers[0] != check.first:
        return f"{_shown(numbers)} begins with {_shown(numbers[:1])}: give {check.first:g} as the first value"
    if check.sum is not None and abs(sum(numbers) - check.sum) > _SUM_TOLERANCE:
        return (
            f"{_shown(numbers)} sums to {_shown([sum(numbers)])}, not to {check.sum:g}: change one of them by "
            f"{_shown([check.sum - sum(numbers)])}"
        )
    return None


def wrong_beside(check: Check, other: str, numbers: list[float], others: list[float]) -> str | None:
    """What is wrong with a value beside that of another policy which holds on the same day."""
    if other == check.quantiles_of:
        return _wrong_quantiles(other, numbers, others)
    for bound, word, is_right in (
        (check.less_than, "less than", operator.lt),
        (check.more_than, "more than", operator.gt),
    ):
        if bound == other and not all(is_right(number, limit) for number in numbers for limit in others):
            return f"{_shown(numbers)} is not {word} {other}, which is {_shown(others)}: change one of the two"
    return None


def _wrong_count(check: Check, numbers: list[Any]) -> str | None:
    if check.lengths and len(numbers) not in check.lengths:
        return f"takes {' or '.join(map(str, check.lengths))} values, not {len(numbers)}"
    if not check.lengths and len(numbers) != 1:
        return f"takes one value, not {len(numbers)}"
    return None


def _wrong_number(check: Check, unit: str, number: Any) -> str | None:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return f"'{number}' is not a number"
    if isinstance(number, float) and not math.isfinite(number):
        return f"'{number}' is not a number"
    if check.integer and number != int(number):
        return f"{number} is not a whole number of {unit}"
    for bound, is_wrong, words in (
        (check.minimum, operator.lt, "below {} {}, the least that it takes"),
        (check.maximum, operator.gt, "above {} {}, the most that it takes"),
        (check.less_than, operator.ge, "not less than {} {}"),
        (check.more_than, operator.le, "not more than {} {}"),
    ):
        if isinstance(bound, int | float) and is_wrong(number, bound):
            return f"{number} is {words.format(f'{bound:.15g}', unit)}"
    return None


def _wrong_quantiles(other: str, numbers: list[float], probabilities: list[float]) -> str | None:
    from statistics import NormalDist

    wanted = [NormalDist().inv_cdf(probability) for probability in probabilities]
    is_right = len(wanted) == len(numbers) and all(
        math.isclose(number, quantile, abs_tol=_QUANTILE_TOLERANCE)
        for number, quantile in zip(numbers, wanted, strict=True)
    )
    if is_right:
        return None
    return f"{_shown(numbers)} are not the quantiles of {other} {_shown(probabilities)}: give {_shown(wanted)} with it"


def _is_ordered(order: str, first: float, second: float) -> bool:
    return first < second if order == "ascending" else first > second


def _shown(numbers: list[Any]) -> str:
    texts = [f"{round(number, 6):.10g}" for number in numbers]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
