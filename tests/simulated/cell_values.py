"""What a cell of a silo's file means under its contract's data type."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_UTC = ZoneInfo("UTC")


def converted(value: Any, data_type: str, zone: str) -> Any:
    """The value as the type says; None for an empty one; amounts in cents; moments in UTC without a zone.

    Raises:
        ValueError, ArithmeticError: the cell does not hold such a value.
    """
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    if data_type == "timestamp":
        return _moment(value, zone)
    return _KINDS.get(data_type, _cents)(value)


def _text(value: Any) -> str:
    """As text: an Excel number without its .0, a list as JSON."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _boolean(value: Any) -> bool:
    named = _BOOLEANS.get(str(value).lower())
    if named is None:
        raise ValueError(f"{value!r} is neither true nor false")
    return named


def _whole(value: Any) -> int:
    number = Decimal(str(value))
    if number != number.to_integral_value():
        raise ValueError(f"{number} is not a whole number")
    return int(number)


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value.replace("/", "-"))


def _moment(value: Any, zone: str) -> datetime:
    """A moment in UTC; the zone is that of a moment without one."""
    if not isinstance(value, datetime):
        value = datetime.fromisoformat(str(value).replace("/", "-"))
    zoned = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
    return zoned.astimezone(_UTC).replace(tzinfo=None)


def _cents(value: Any) -> int:
    return int((Decimal(str(value)) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


_KINDS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "boolean": _boolean,
    "integer": _whole,
    "bigint": _whole,
    "double": float,
    "date": _day,
}
