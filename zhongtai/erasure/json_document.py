"""Where the records of a JSON document stand in its text, so that some can be cut out and all else stays."""

from __future__ import annotations

import json
import re

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


def spans(text: str, path: str) -> list[tuple[int, int]]:
    """Start and end of each record of the list at `path`.

    Args:
        path: keys joined by dots; empty where the document is the list.
    """
    place = _skip(text, 1 if text.startswith("\ufeff") else 0)
    for key in [key for key in path.split(".") if key]:
        place = _member(text, place, key)
    found = []
    place = _skip(text, place + 1)
    while text[place] != "]":
        end = _DECODER.raw_decode(text, place)[1]
        found.append((place, end))
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return found


def without(text: str, path: str, dropped: set[int]) -> str:
    """The text without these records, numbered from 1, and without the commas that they leave."""
    places = spans(text, path)
    if not places:
        return text
    kept = [text[start:end] for number, (start, end) in enumerate(places, start=1) if number not in dropped]
    between = text[places[0][1] : places[1][0]] if len(places) > 1 else ","
    return text[: places[0][0]] + between.join(kept) + text[places[-1][1] :]


def _member(text: str, place: int, wanted: str) -> int:
    """Where the value of a key starts; the last one counts, as for every reader of JSON."""
    found = None
    place = _skip(text, place + 1)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        place = _skip(text, _skip(text, place) + 1)
        if key == wanted:
            found = place
        place = _skip(text, _DECODER.raw_decode(text, place)[1])
        if text[place] == ",":
            place = _skip(text, place + 1)
    if found is None:
        raise KeyError(wanted)
    return found


def _skip(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place
