"""Policies: defaults, overrides with dates, and what a wrong one says."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documented_policies import POLICIES, POLICY_LISTS
from zhongtai import policies
from zhongtai.errors import UsageError
from zhongtai.merchant import Merchant
from zhongtai.settings import PROJECT_ROOT, Settings

SHIPPED = PROJECT_ROOT / "merchants" / "policies.yml"
DAY = date(2026, 1, 1)


def _load(overrides: dict[str, Any], project: Path = PROJECT_ROOT) -> list[policies.PolicyValue]:
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
    return policies.load(shop, Settings(project=project, home=Path(), merchant=None, merchants=Path()))


def _holding(overrides: dict[str, Any], day: date) -> dict[str, Any]:
    return {name: policy.value for name, policy in policies.in_force(_load(overrides), day).items()}


def _define(folder: Path, text: str) -> Path:
    """A project whose policies are these."""
    file = folder / "merchants" / "policies.yml"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    return folder


def test_defaults_are_the_documented_ones() -> None:
    assert _holding({}, DAY) == POLICIES | POLICY_LISTS


def test_every_policy_says_what_it_is_in_two_languages_and_has_its_unit() -> None:
    for value in _load({}):
        assert re.search("[\u4e00-\u9fff]", value.policy_name_zh), value.policy
        assert value.description.endswith("."), value.policy
        assert value.unit, value.policy
        for unit in ("days", "months", "hours"):
            assert value.unit == unit or not re.search(rf"_{unit}(_cuts)?$", value.policy), value.policy


def test_no_policy_stands_twice_in_the_file() -> None:
    """YAML would take the last one in silence."""
    names = re.findall(r"^(\w+):", SHIPPED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(names) == sorted(POLICIES | POLICY_LISTS)


def test_override_from_a_date_leaves_the_past_alone() -> None:
    overrides = {"new_buyer_days": [{"value": 30, "effective_from": date(2026, 6, 1)}]}
    assert _holding(overrides, date(2026, 5, 31))["new_buyer_days"] == 90
    assert _holding(overrides, date(2026, 6, 1))["new_buyer_days"] == 30


def test_one_dated_value_needs_no_list() -> None:
    overrides = {"new_buyer_days": {"value": 30, "effective_from": date(2026, 6, 1)}}
    assert _holding(overrides, date(2026, 5, 31))["new_buyer_days"] == 90
    assert _holding(overrides, date(2026, 6, 1))["new_buyer_days"] == 30


def test_override_without_a_date_replaces_the_default() -> None:
    values = [value for value in _load({"new_buyer_days": 60}) if value.policy == "new_buyer_days"]
    assert [(value.value, value.source) for value in values] == [(60, "merchant")]


def test_what_is_in_force_says_since_when_and_by_whom() -> None:
    values = _load({"new_buyer_days": [{"value": 30, "effective_from": date(2026, 6, 1)}]})
    before = policies.in_force(values, date(2026, 5, 31))["new_buyer_days"]
    after = policies.in_force(values, date(2026, 6, 1))["new_buyer_days"]
    assert (before.value, before.unit, before.since, before.source) == (90, "days", date(1970, 1, 1), "default")
    assert (after.value, after.unit, after.since, after.source) == (30, "days", date(2026, 6, 1), "merchant")


def test_list_can_be_ended() -> None:
    overrides = {
        "rfm_frequency_orders_cuts": [
            {"value": [2, 4, 8, 16]},
            {"value": [], "effective_from": date(2026, 6, 1)},
        ]
    }
    assert _holding(overrides, date(2026, 5, 31))["rfm_frequency_orders_cuts"] == [2, 4, 8, 16]
    assert _holding(overrides, date(2026, 6, 1))["rfm_frequency_orders_cuts"] == []
    ended = [value for value in _load(overrides) if value.effective_from == date(2026, 6, 1)]
    assert [(value.position, value.value) for value in ended] == [(0, None)]


def test_list_has_positions_and_their_names() -> None:
    cuts = [value for value in _load({"rfm_frequency_orders_cuts": [2, 4, 8, 16]}) if "frequency" in value.policy]
    assert [(value.position, value.position_name, value.value) for value in cuts] == [
        (1, None, 2),
        (2, None, 4),
        (3, None, 8),
        (4, None, 16),
    ]
    levels = [value for value in _load({}) if value.policy == "inventory_service_levels"]
    assert [(value.position_name, value.value) for value in levels] == [("A", 0.98), ("B", 0.95), ("C", 0.90)]


def test_weights_may_change_as_long_as_they_sum_to_one() -> None:
    thirds = [0.1, 0.2, 0.3, 0.4]  # their sum is not exactly 1 in binary
    assert _holding({"selection_weights": thirds}, DAY)["selection_weights"] == thirds


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"no_such_policy": 1}, "there is no policy 'no_such_policy'. All of them are in"),
        ({"new_buyers_day": 1}, "there is no policy 'new_buyers_day'. Did you mean 'new_buyer_days'?"),
        ({"abc_a_share": 1.5}, "abc_a_share: 1.5 is above 1 share"),
        ({"rfm_window_days": -1}, "rfm_window_days: -1 is below 1 days, the least that it takes"),
        ({"delist_launch_days": -30}, "delist_launch_days: -30 is below 0 days"),
        ({"touch_conversion_hours": 0}, "0 is not more than 0 hours"),
        ({"experiment_alpha": 1}, "1 is not less than 0.5 probability"),
        ({"turnover_window_days": 99_999_999_999}, "99999999999 is above 3650 days, the most that it takes"),
        ({"rfm_window_days": 10**400}, f"{10**400} is above 3650 days"),
        ({"touch_conversion_hours": 1e300}, "1e+300 is above 8760 hours"),
        ({"hit_first_week_units": 1e12}, "is above 1000000000 units"),
        ({"hit_demand_percentile": 20, "hit_competition_percentile": 40}, "20 is below 50 percentile"),
        ({"hit_competition_percentile": 60}, "60 is above 50 percentile"),
        ({"portfolio_top_share": 0.9}, "0.9 is above 0.5 share"),
        ({"inventory_service_levels": [0.9, 0.6, 0.4]}, "0.4 is below 0.5 probability"),
        ({"rfm_window_days": 30.5}, "30.5 is not a whole number of days"),
        ({"rfm_window_days": "long"}, "'long' is not a number"),
        ({"rfm_window_days": "30"}, "'30' is not a number"),
        ({"rfm_window_days": True}, "'True' is not a number"),
        ({"rfm_window_days": None}, "'None' is not a number"),
        ({"rfm_window_days": float("nan")}, "'nan' is not a number"),
        ({"touch_conversion_hours": float("inf")}, "'inf' is not a number"),
        ({"rfm_window_days": [1, 2]}, "takes one value, not 2"),
        ({"rfm_window_days": []}, "takes one value, not 0"),
        ({"rfm_frequency_orders_cuts": [1, 2]}, "takes 0 or 4 values, not 2"),
        ({"selection_weights": [0.5, 0.5]}, "takes 4 values, not 2"),
        ({"selection_weights": 1}, "takes 4 values, not 1"),
        ({"rfm_frequency_orders_cuts": [1, 3, 2, 4]}, "[1, 3, 2, 4] is not ascending: give every value greater"),
        ({"membership_level_points": [0, 1, 1, 2, 3, 4]}, "is not ascending"),
        ({"membership_level_points": [100, 500, 2000, 5000, 12000, 30000]}, "give 0 as the first value"),
        ({"inventory_service_levels": [0.9, 0.95, 0.98]}, "is not descending: give every value less"),
        ({"selection_weights": [0.3, 0.3, 0.3, 0.3]}, "sums to 1.2, not to 1: change one of them by -0.2"),
        ({"attribution_position_weights": [0.4, 0.2, 0.3]}, "sums to 0.9, not to 1: change one of them by 0.1"),
        ({"selection_weights": [1.2, -0.2, 0, 0]}, "-0.2 is below 0 weight"),
        ({"abc_a_share": 0.96}, "abc_a_share: 0.96 is not less than abc_b_share, which is 0.95: change one of the two"),
        ({"abc_b_share": 0.80}, "abc_a_share: 0.8 is not less than abc_b_share, which is 0.8"),
        (
            {"abc_b_share": [{"value": 0.7, "effective_from": date(2026, 6, 1)}]},
            "abc_a_share: 0.8 is not less than abc_b_share, which is 0.7: change one of the two, from 2026-06-01 on",
        ),
        (
            {"inventory_service_levels": [0.99, 0.95, 0.90]},
            "are not the quantiles of inventory_service_levels [0.99, 0.95, 0.9]: give [2.326348, 1.644854, 1.281552]",
        ),
        ({"new_buyer_days": [{"value": 1, "effective_from": "June"}]}, "'June' is not a date"),
        ({"new_buyer_days": [{"value": 1, "effective_from": None}]}, "'None' is not a date"),
        ({"new_buyer_days": [{"value": 1, "effective_from": datetime(2026, 6, 1, 12)}]}, "is not a date"),
        ({"new_buyer_days": [{"value": 1, "effective_from": date(1960, 1, 1)}]}, "is before the beginning"),
        ({"new_buyer_days": [{"days": 1}]}, "a dated value is"),
        ({"new_buyer_days": [{"value": 1, "from": date(2026, 6, 1)}]}, "a dated value is"),
        ({"new_buyer_days": [{"value": 1}, 2]}, "a dated value is"),
        ({"new_buyer_days": [{"value": 1}, {"value": 2}]}, "two values hold from the beginning"),
        (
            {
                "new_buyer_days": [
                    {"value": 1, "effective_from": date(2026, 6, 1)},
                    {"value": 2, "effective_from": date(2026, 6, 1)},
                ]
            },
            "two values hold from 2026-06-01",
        ),
        (
            {
                "new_buyer_days": [
                    {"value": 1, "effective_from": date(2026, 6, 1)},
                    {"value": 2, "effective_from": date(2026, 5, 1)},
                ]
            },
            "a value from 2026-05-01 stands after one from 2026-06-01",
        ),
    ],
)
def test_wrong_override_says_file_and_policy(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as error:
        _load(overrides)
    assert str(error.value).startswith("shop.yml: ")


def test_two_policies_may_change_together() -> None:
    """Neither pair of a new and an old value would do."""
    overrides = {
        name: [{"value": value, "effective_from": date(2026, 6, 1)}]
        for name, value in (("abc_a_share", 0.96), ("abc_b_share", 0.99))
    }
    holding = _holding(overrides, date(2026, 6, 1))
    assert (holding["abc_a_share"], holding["abc_b_share"]) == (0.96, 0.99)


ONE = "a_days: {value: 1, unit: days, name_zh: 天数, description: Days"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{ONE}., check: {{less_than: b_day}}}}\nb_days: {{value: 2}}", "b_days: unit: Field required"),
        (
            f"{ONE}., check: {{less_than: a_dais}}}}",
            "a_days: check: there is no policy 'a_dais'. Did you mean 'a_days'?",
        ),
        (f"{ONE}., check: {{most: 3}}}}", "a_days: check.most: Extra inputs are not permitted"),
        (f"{ONE}., check: {{minimum: 2}}}}", "a_days: 1 is below 2 days"),
        (f"{ONE}", "not valid YAML"),
        ("- a_days", "it is a mapping of policies"),
        (
            "a_days: {value: [{value: 1, effective_from: 2026-01-01}], unit: days, name_zh: 天数, description: Days.}",
            "a_days: nothing holds at the beginning",
        ),
    ],
)
def test_wrong_definition_says_file_and_policy(tmp_path: Path, text: str, message: str) -> None:
    project = _define(tmp_path, text)
    with pytest.raises(UsageError, match=re.escape(message)) as error:
        _load({}, project)
    assert str(error.value).startswith(f"{project / 'merchants' / 'policies.yml'}: ")


def test_a_default_may_change_over_time_and_a_merchant_from_its_own_date(tmp_path: Path) -> None:
    project = _define(
        tmp_path,
        "a_days: {value: [{value: 1}, {value: 2, effective_from: 2026-01-01}, {value: 3, effective_from: 2027-01-01}], "
        "unit: days, name_zh: 天数, description: Days.}",
    )
    values = _load({"a_days": {"value": 9, "effective_from": date(2026, 6, 1)}}, project)
    assert [(value.value, value.effective_from, value.source) for value in values] == [
        (1, date(1970, 1, 1), "default"),
        (2, date(2026, 1, 1), "default"),
        (9, date(2026, 6, 1), "merchant"),
    ]


def test_the_shipped_file_is_checked_as_a_whole() -> None:
    """Every number is bound on both sides, by another number: no policy takes what its unit cannot be."""
    most: dict[str, float] = {"days": 3_650, "hours": 8_760, "months": 120, "percentile": 100, "weekday": 7}
    whole = ("share", "rate", "score", "probability")
    for name, entry in yaml.safe_load(SHIPPED.read_text(encoding="utf-8")).items():
        check, unit = entry["check"], entry["unit"]
        if unit == "weight":
            assert check["sum"] == 1 and check["minimum"] == 0, name
            continue
        if "quantiles_of" in check:
            continue
        least = [check[key] for key in ("minimum", "more_than") if isinstance(check.get(key), int | float)]
        greatest = [check[key] for key in ("maximum", "less_than") if isinstance(check.get(key), int | float)]
        assert least and min(least) >= 0, f"{name} takes negative values"
        assert greatest, f"{name} takes any large value: give it a maximum"
        bound = 10 if name == "campaign_tight_stock_share" else most.get(unit, 1.0 if unit in whole else 1e9)
        assert max(greatest) <= bound, f"{name} takes more than {bound:g} {unit}"


@pytest.mark.parametrize("name", sorted(POLICIES | POLICY_LISTS))
@pytest.mark.parametrize("far", [1_000_000_001, 10**18, 1e300, -1])
def test_no_policy_takes_what_is_far_off(name: str, far: float) -> None:
    """Of a list every place is tried."""
    default = (POLICIES | POLICY_LISTS)[name]
    lists = default if isinstance(default, list) else [default]
    for place in range(len(lists) or 4):
        numbers = [*(lists or [1, 2, 3, 4])]
        numbers[place] = far
        with pytest.raises(UsageError, match=f"shop.yml: {name}: "):
            _load({name: numbers if isinstance(default, list) else far})


def test_the_documented_overrides_are_right() -> None:
    text = (PROJECT_ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(policies:.*?)```", text, flags=re.DOTALL)
    assert example
    holding = _holding(yaml.safe_load(example.group(1))["policies"], date(2026, 7, 1))
    assert (holding["abc_a_share"], holding["new_buyer_days"]) == (0.7, 60)
    added = re.search(r"```yaml\n(delist_months:.*?)```", text, flags=re.DOTALL)
    assert added
    shipped = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    assert yaml.safe_load(added.group(1))["delist_months"] == shipped["delist_months"]
