"""Policies: defaults, overrides with dates, and what a wrong one says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from zhongtai import policies
from zhongtai.errors import UsageError
from zhongtai.merchant import Merchant
from zhongtai.settings import PROJECT_ROOT, Settings


def _load(overrides: dict[str, Any]) -> list[policies.PolicyValue]:
    here = Path("shop.yml")
    shop = Merchant(
        name="shop",
        title="Shop",
        time_zone="UTC",
        currency="CNY",
        locale="zh_CN",
        silos={},
        policies=overrides,
        file=here,
        home=Path(),
    )
    return policies.load(shop, Settings(project=PROJECT_ROOT, home=Path(), merchant=None, merchants=Path()))


def _holding(overrides: dict[str, Any], day: date) -> dict[str, Any]:
    return policies.as_mapping(_load(overrides), day)


def test_defaults_are_the_documented_ones() -> None:
    holding = _holding({}, date(2026, 1, 1))
    assert holding["rfm_window_days"] == 365
    assert (holding["abc_a_share"], holding["abc_b_share"], holding["abc_window_months"]) == (0.80, 0.95, 12)
    assert "rfm_recency_days_cuts" not in holding


def test_override_from_a_date_leaves_the_past_alone() -> None:
    overrides = {"new_buyer_days": [{"value": 30, "effective_from": date(2026, 6, 1)}]}
    assert _holding(overrides, date(2026, 5, 31))["new_buyer_days"] == 90
    assert _holding(overrides, date(2026, 6, 1))["new_buyer_days"] == 30


def test_override_without_a_date_replaces_the_default() -> None:
    values = [value for value in _load({"new_buyer_days": 60}) if value.policy == "new_buyer_days"]
    assert [(value.value, value.source) for value in values] == [(60, "merchant")]


def test_list_can_be_ended() -> None:
    overrides = {
        "rfm_frequency_orders_cuts": [
            {"value": [2, 4, 8, 16]},
            {"value": [], "effective_from": date(2026, 6, 1)},
        ]
    }
    assert _holding(overrides, date(2026, 5, 31))["rfm_frequency_orders_cuts"] == [2, 4, 8, 16]
    assert "rfm_frequency_orders_cuts" not in _holding(overrides, date(2026, 6, 1))
    ended = [value for value in _load(overrides) if value.effective_from == date(2026, 6, 1)]
    assert [(value.position, value.value) for value in ended] == [(0, None)]


def test_list_has_positions() -> None:
    cuts = [value for value in _load({"rfm_frequency_orders_cuts": [2, 4, 8, 16]}) if "frequency" in value.policy]
    assert [(value.position, value.value) for value in cuts] == [(1, 2), (2, 4), (3, 8), (4, 16)]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"no_such_policy": 1}, "'no_such_policy' is not one of those"),
        ({"abc_a_share": 1.5}, "abc_a_share: 1.5 is above 1 share"),
        ({"rfm_window_days": -1}, "rfm_window_days: -1 is below 1 days"),
        ({"rfm_window_days": "long"}, "'long' is not a number"),
        ({"rfm_window_days": True}, "'True' is not a number"),
        ({"rfm_window_days": [1, 2]}, "takes one value, not 2"),
        ({"rfm_frequency_orders_cuts": [1, 2]}, "has 2 values; it takes 0 or 4"),
        ({"rfm_frequency_orders_cuts": [1, 3, 2, 4]}, "is not ascending"),
        ({"new_buyer_days": [{"value": 1, "effective_from": "June"}]}, "'June' is not a date"),
        ({"new_buyer_days": [{"days": 1}]}, "a dated value is"),
    ],
)
def test_wrong_override_says_file_and_policy(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        _load(overrides)
    assert "shop.yml" in str(error.value)
