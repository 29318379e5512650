"""Numbers of rows as texts for logs: `3-5,9`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import groupby


def format_numbers(numbers: Iterable[int]) -> str:
    """Row numbers as `3-5,9`."""
    parts = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda item: item[1] - item[0]):
        together = [number for _, number in run]
        parts.append(str(together[0]) if len(together) == 1 else f"{together[0]}-{together[-1]}")
    return ",".join(parts)


def parse_numbers(text: str) -> list[int]:
    """The numbers that `format_numbers` wrote."""
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def without(numbers: Iterable[int], erased: Iterable[int]) -> list[int]:
    """What rows are called when the erased ones are gone from their file; the erased among them are left out."""
    gone = sorted(set(erased))
    places = ((number, bisect_left(gone, number)) for number in numbers)
    return [number - place for number, place in places if place == len(gone) or gone[place] != number]
