"""The dates that `--rebuild` takes."""

from __future__ import annotations

from datetime import date

import pytest

from zhongtai.changes.build import date_range
from zhongtai.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-01..2025-11-30", (date(2025, 11, 1), date(2025, 11, 30))),
        ("2024-02-29..2024-02-29", (date(2024, 2, 29), date(2024, 2, 29))),
        (" 2025-12-31 .. 2026-01-01 ", (date(2025, 12, 31), date(2026, 1, 1))),
    ],
)
def test_two_dates_are_a_range(text: str, expected: tuple[date, date]) -> None:
    assert date_range(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "2025-11-01",
        "2025-11-01..",
        "..2025-11-30",
        "2025-11-30..2025-11-01",
        "2025-11-01..2025-11-02..2025-11-03",
        "2025-11-01...2025-11-30",
        "2025-11-01:2025-11-30",
        "2025-02-29..2025-03-01",
        "2025-11-01T00:00..2025-11-30",
        "last..week",
    ],
)
def test_anything_else_is_refused_with_what_to_give(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        date_range(text)
    message = str(refused.value)
    assert f"'{text}'" in message and "give FROM..TO, such as 2025-11-01..2025-11-30" in message
    assert "\n" not in message
