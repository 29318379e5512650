"""Values of a database as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any


def json_safe(value: Any) -> Any:
    """The nearest JSON value: exact decimals and all that JSON lacks become text, numpy's numbers plain ones."""
    plain: Any
    # numpy's scalars and arrays, without importing numpy.
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case None | bool() | int() | str():
            plain = value
        case float():
            plain = value if math.isfinite(value) else str(value)
        case date() | time():
            plain = value.isoformat()
        case bytes() | bytearray():
            plain = value.hex()
        case Mapping():
            plain = {str(key): json_safe(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            plain = [json_safe(item) for item in value]
        case _:
            plain = str(value)
    return plain
